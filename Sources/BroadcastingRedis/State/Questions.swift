//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What was asked of scripts and has not been answered: first what the server has been sent, in the order in which it answers,
/// then what has not been sent. Without I/O.
///
/// A script is loaded before it is called for the first time, and again when the server has lost it (SCRIPT FLUSH, another
/// server): whoever asked then waits a little longer. A caller whose deadline passes is told so; what was sent for it keeps
/// its place.
struct Questions<Waiter> {
  /// What an answer is one to.
  enum Subject {
    /// Nil: the caller has gone.
    case call(Waiter?)
    /// A script was loaded, or was missing. Nothing needs to be done but to send what there is.
    case script
    /// The server does not take a script. Those who wait for it.
    case failedScript([Waiter])
    /// This is no answer to what was asked.
    case unexpected
  }

  private struct Question {
    var number: Int
    /// Nil: whether the server is there.
    var call: ScriptCall?
    /// How often the script was missing.
    var misses = 0
  }

  private enum Sent {
    case load(ServerScript)
    case question(Question)
  }

  private enum Knowledge: Equatable {
    case loading
    case digest([UInt8])
  }

  private let maximumSent: Int
  private let maximumSentBytes: Int
  /// A script that is missing so often, although it was loaded each time, will be missing again.
  private static var maximumMisses: Int { 3 }

  private var waiters: [Int: Waiter] = [:]
  private var nextNumber = 0
  /// In the order of asking, which is theirs too.
  private var deadlines = Line<(number: Int, deadline: LoopInstant)>()
  private var unsent = Line<Question>()
  private var sent = Line<Sent>()
  private var sentBytes = 0
  private var scripts: [ServerScript: Knowledge] = [:]

  /// - Parameters:
  ///   - maximumSent: The most questions that the server has at once.
  ///   - maximumSentBytes: The most bytes that it may answer to them, about. One question alone may have more.
  init(maximumSent: Int = 1_024, maximumSentBytes: Int = 16 * 1_024 * 1_024) {
    self.maximumSent = maximumSent
    self.maximumSentBytes = maximumSentBytes
  }

  /// When to call ``expire(now:)`` next, or nil while nobody waits.
  var nextDeadline: LoopInstant? { deadlines.first?.deadline }

  /// The digest of a script that is loaded.
  func digest(of script: ServerScript) -> [UInt8]? {
    guard case .digest(let digest) = scripts[script] else { return nil }
    return digest
  }

  // MARK: Asking

  /// - Parameters:
  ///   - call: Nil asks whether the server is there, which everybody may.
  ///   - deadline: Not before that of the question before.
  mutating func add(_ call: ScriptCall?, deadline: LoopInstant, _ waiter: Waiter) {
    waiters[nextNumber] = waiter
    deadlines.append((nextNumber, deadline))
    unsent.append(Question(number: nextNumber, call: call))
    nextNumber += 1
  }

  /// The next command to send. Nil while there is none, or the server has enough to answer.
  mutating func next() -> [[UInt8]]? {
    while let question = unsent.first {
      guard waiters[question.number] != nil else {
        unsent.removeFirst()
        continue
      }
      let bytes = question.call?.answerBytes ?? 0
      guard sent.count < maximumSent, sentBytes == 0 || sentBytes + bytes <= maximumSentBytes else { return nil }
      let command: [[UInt8]]
      if let call = question.call {
        switch scripts[call.script] {
        case .digest(let digest): command = call.command(digest: digest)
        case .loading: return nil
        case nil:
          scripts[call.script] = .loading
          sent.append(.load(call.script))
          return call.script.loadCommand
        }
      } else {
        command = Login.greeting.map { Array($0.utf8) }
      }
      unsent.removeFirst()
      sent.append(.question(question))
      sentBytes += bytes
      return command
    }
    return nil
  }

  // MARK: Answers

  /// The server has answered the oldest of what it was sent.
  ///
  /// - Parameter text: Of an answer that is text.
  mutating func answered(text: @autoclosure () -> [UInt8]?) -> Subject {
    guard let oldest = takeSent() else { return .unexpected }
    switch oldest {
    case .question(let question): return .call(end(question.number))
    case .load(let script):
      guard let digest = text(), !digest.isEmpty else { return .unexpected }
      scripts[script] = .digest(digest)
      return .script
    }
  }

  /// The server has refused the oldest of what it was sent.
  ///
  /// - Parameter isMissing: Whether because it has no such script.
  mutating func refused(isMissing: Bool) -> Subject {
    guard let oldest = takeSent() else { return .unexpected }
    switch oldest {
    case .load(let script):
      scripts[script] = nil
      return .failedScript(takeAll(of: script))
    case .question(var question):
      question.misses += 1
      guard isMissing, question.misses <= Self.maximumMisses, let script = question.call?.script else {
        return .call(end(question.number))
      }
      if scripts[script] != .loading { scripts[script] = nil }
      unsent.append(question)
      return .script
    }
  }

  private mutating func takeSent() -> Sent? {
    guard let oldest = sent.first else { return nil }
    sent.removeFirst()
    if case .question(let question) = oldest { sentBytes -= question.call?.answerBytes ?? 0 }
    return oldest
  }

  private mutating func end(_ number: Int) -> Waiter? {
    defer { dropAnsweredDeadlines() }
    return waiters.removeValue(forKey: number)
  }

  private mutating func takeAll(of script: ServerScript) -> [Waiter] {
    let waiting = unsent.filter { $0.call?.script == script }
    return waiting.compactMap { end($0.number) }
  }

  private mutating func dropAnsweredDeadlines() {
    while let first = deadlines.first, waiters[first.number] == nil { deadlines.removeFirst() }
  }

  // MARK: Endings

  /// Returns the callers whose time is over.
  mutating func expire(now: LoopInstant) -> [Waiter] {
    var late: [Waiter] = []
    while let first = deadlines.first, first.deadline <= now {
      deadlines.removeFirst()
      if let waiter = waiters.removeValue(forKey: first.number) { late.append(waiter) }
      dropAnsweredDeadlines()
    }
    return late
  }

  /// The session is over. Returns all who wait, in the order in which they asked.
  mutating func removeAll() -> [Waiter] {
    defer { self = Questions(maximumSent: maximumSent, maximumSentBytes: maximumSentBytes) }
    return waiters.sorted { $0.key < $1.key }.map(\.value)
  }
}

/// First in, first out.
private struct Line<Element> {
  private var elements: [Element] = []
  private var start = 0

  var count: Int { elements.count - start }
  var first: Element? { start < elements.count ? elements[start] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() {
    start += 1
    if start == elements.count {
      elements.removeAll(keepingCapacity: elements.capacity <= 1_024)
      start = 0
    } else if start >= 64, start > elements.count / 2 {
      elements.removeFirst(start)
      start = 0
    }
  }

  func filter(_ isIncluded: (Element) -> Bool) -> [Element] { elements[start...].filter(isIncluded) }
}
