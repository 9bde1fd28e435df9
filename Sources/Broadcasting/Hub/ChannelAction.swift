//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a channel's state machine answers.
extension ChannelStateMachine {
  /// A call of the driver.
  enum Call: Equatable, Sendable {
    case subscribe(number: Int)
    case catchUp(number: Int)
    /// Parts of the history are read, as many as are needed.
    case load(number: Int)
    case unsubscribe(number: Int)

    var isUnsubscribe: Bool { if case .unsubscribe = self { true } else { false } }
  }

  enum Joining: Sendable {
    /// The channel is subscribed already.
    case ready
    /// The past was asked for of a channel that has none.
    case refused
    /// The waiter will be among an action's waiters.
    case wait(Call?)
  }

  struct Action: Sendable {
    var call: Call?
    var waiters: [Waiter] = []
    /// Why the waiters fail, or nil when they succeed.
    var error: BroadcastError?
    /// What came until now was published before the waiters were here.
    var isCaughtUp = false
    /// A gap has to be told to everyone who was here before.
    var isGap = false
    /// Why a subscription which existed before is no more, or could not be renewed: try again later.
    var loss: BroadcastError?
    /// It is subscribed again after a lost connection.
    var isResubscribed = false
    /// Nobody is interested and nothing is under way: the channel can go.
    var isIdle = false
  }
}
