//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork

/// What connections to one kind of peer share: the configuration, and the authorities once they are read.
///
/// Make one for all connections of a client. It reads nothing before the first of them. The system's authorities take
/// some milliseconds; on a loop all its other connections would wait for that, and a thread of Swift's pool must not
/// block. So they are read by a thread of their own, once; after a failure the next connection tries again.
package final class TLSContext: Sendable {
  typealias Answer = OneShot<Result<LoadedTLSContext, NetworkError>>

  private enum State {
    case empty
    case loading([Answer])
    case loaded(LoadedTLSContext)
  }

  package let configuration: TLSConfiguration
  private let state = Lock(State.empty)

  package init(_ configuration: TLSConfiguration = TLSConfiguration()) { self.configuration = configuration }

  /// Fills `answer`, at once where that is possible.
  func load(_ answer: Answer) {
    let (loaded, isFirst): (LoadedTLSContext?, Bool) = state.withLock { state in
      switch state {
      case .loaded(let context):
        return (context, false)
      case .loading(let others):
        state = .loading(others + [answer])
        return (nil, false)
      case .empty:
        state = .loading([answer])
        return (nil, true)
      }
    }
    if let loaded { answer.fill(.success(loaded)) }
    guard isFirst else { return }
    let status = DetachedThread.start { self.finish(Result { () throws(NetworkError) in try self.read() }) }
    if status != 0 { finish(.failure(NetworkError("no thread to read the authorities for TLS", status: status))) }
  }

  /// `answer` has been given up.
  func forget(_ answer: Answer) {
    state.withLock { state in
      if case .loading(let waiting) = state { state = .loading(waiting.filter { $0 !== answer }) }
    }
  }

  /// Blocks.
  private func read() throws(NetworkError) -> LoadedTLSContext { try LoadedTLSContext(configuration.trust) }

  private func finish(_ outcome: Result<LoadedTLSContext, NetworkError>) {
    let waiting: [Answer] = state.withLock { state in
      guard case .loading(let waiting) = state else { return [] }
      if case .success(let context) = outcome { state = .loaded(context) } else { state = .empty }
      return waiting
    }
    for answer in waiting { answer.fill(outcome) }
  }
}
