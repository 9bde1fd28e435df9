//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// The connection on which messages arrive: any number of channels, and what is asked of it. It belongs to the loop's thread.
///
/// It is never in a transaction of more than a moment: PostgreSQL would hold back all that arrives until its end.
final class ListeningSide {
  typealias Waiter = UnsafeContinuation<BroadcastError?, Never>

  private let line: PostgresLine
  private let loop: EventLoop
  private let timeout: Duration
  private let timer: LoopTimer
  private let keepsLengths: Bool
  private var isTimed = false
  private var commands = ListenCommands<Waiter>()
  private var arrivals: Arrivals
  private var isGathering = false
  /// Called when anything has come.
  var onLife: () -> Void = {}
  var onArrival: (Arrivals.Event) -> Void = { _ in }

  init(
    _ line: PostgresLine, probeName: ChannelName, timeout: Duration, on loop: EventLoop
  ) throws(NetworkError) {
    self.line = line
    self.loop = loop
    self.timeout = timeout
    timer = try LoopTimer(on: loop)
    keepsLengths = line.keepsLengths
    arrivals = Arrivals(probeName: probeName, isTextValid: line.isTextValid)
  }

  func start(onFailure: @escaping (LineFailure) -> Void) throws(LineFailure) {
    try line.start(onInput: { [unowned self] in heard() }, onFailure: onFailure)
  }

  func close(because error: BroadcastError) {
    line.close()
    timer.close()
    for ending in commands.failAll(because: error) { ending.waiter.resume(returning: ending.error) }
  }

  // MARK: Asking

  func ask(_ kind: ListenCommands<Waiter>.Kind, _ channel: Channel, _ waiter: Waiter) {
    // It arrives with the confirmation, and may even be before it in what is read at once.
    if kind == .listen { arrivals.listen(to: channel) }
    commands.add(kind, channel, deadline: loop.now + timeout, waiter: waiter)
    setTimer()
    gather()
  }

  /// What the hub asks for in one turn goes together.
  private func gather() {
    if isGathering { return }
    isGathering = true
    loop.atTurnEnd { [weak self] in
      guard let self else { return }
      isGathering = false
      send()
    }
  }

  private func send() {
    let next = commands.next(now: loop.now, timeout: timeout)
    if next.isEmpty { return }
    var statements: [String] = []
    for command in next {
      let name = ChannelName(of: command.channel)
      if command.kind == .listen, !keepsLengths, let check = name.lengthCheck { statements.append(check) }
      statements.append("\(command.kind == .listen ? "LISTEN" : "UNLISTEN") \(name.quoted)")
    }
    line.ask(statements.joined(separator: ";"))
  }

  private func answered(_ answer: LineAnswer) {
    let step =
      switch answer {
      case .done: commands.succeeded(now: loop.now)
      case .refused(let state, let reason):
        commands.failed(
          now: loop.now, because: PostgresError.refused(state, reason, to: "listen", channel: commands.singleChannel))
      }
    take(step)
  }

  private func take(_ step: ListenCommands<Waiter>.Step) {
    for channel in step.forgotten { arrivals.forget(channel) }
    for ending in step.endings { ending.waiter.resume(returning: ending.error) }
    gather()
  }

  // MARK: Hearing

  private func heard() {
    onLife()
    line.takeNotifications { name, payload, sender in
      arrivals.add(name: name, payload: payload, sender: sender, emit: onArrival)
    }
    arrivals.flush(onArrival)
    if let answer = line.takeAnswer() { answered(answer) }
  }

  // MARK: Deadlines

  private func setTimer() {
    guard !isTimed, let deadline = commands.nextDeadline else { return }
    isTimed = true
    timer.start(after: deadline - loop.now) { [unowned self] in
      isTimed = false
      take(commands.expire(now: loop.now, because: PostgresError.subscribingTooLate(timeout)))
      setTimer()
    }
  }
}
