//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What became of each message for its publisher, and so what each subscriber must have got.
///
/// A subscriber gets the messages of a line in their order and none twice. One that was published it gets, unless a gap
/// stands exactly where it is missing. One that was refused it does not get. One that is unconfirmed it may get, or not, and
/// also late: a broker that hung may find it on a connection which its publisher has long given up for another.
struct Ledger: Sendable {
  enum Outcome: Sendable { case published, notSent, unconfirmed }

  private var outcomes: [Line: [Outcome]] = [:]

  init() {}

  /// The number that comes next.
  func next(_ line: Line) -> Int { outcomes[line, default: []].count }

  /// The last number of each line that was published for certain.
  var lastPublished: [Line: Int] { outcomes.compactMapValues { $0.lastIndex(of: .published) } }

  /// How many messages there are.
  var count: Int { outcomes.values.reduce(0) { $0 + $1.count } }

  func count(_ outcome: Outcome) -> Int { outcomes.values.reduce(0) { $0 + $1.count { $0 == outcome } } }

  /// Notes what became of the next message of a line.
  mutating func add(_ outcome: Outcome, to line: Line) { outcomes[line, default: []].append(outcome) }

  mutating func merge(_ other: Ledger) { outcomes.merge(other.outcomes) { $0 + $1 } }

  /// Where a subscriber got something else than it must have. Empty when all is well.
  func breaches(in account: Account) -> [String] {
    var breaches = outcomes.keys.flatMap { self.breaches(of: $0, in: account.entries[$0.channel, default: []]) }
    for (channel, entries) in account.entries {
      for case .foreign(let text) in entries { breaches.append("unknown on \(channel): \(text)") }
      for case .message(let stamp) in entries where outcomes[Line(stamp)] == nil {
        breaches.append("\(stamp) arrived, and nobody published it")
      }
    }
    return breaches
  }

  private func breaches(of line: Line, in entries: [Account.Entry]) -> [String] {
    let outcomes = outcomes[line, default: []]
    var breaches: [String] = []
    var next = 0
    var hasGap = false
    var seen: Set<Int> = []
    func miss(_ numbers: Range<Int>) {
      let lost = numbers.filter { outcomes[$0] == .published }
      guard !hasGap, let first = lost.first, let last = lost.last else { return }
      breaches.append("\(line): \(lost.count) lost without a gap, from number \(first) to \(last)")
    }
    for entry in entries {
      switch entry {
      case .foreign: break
      case .gap: hasGap = true
      case .message(let stamp) where Line(stamp) != line: break
      case .message(let stamp) where stamp.number >= outcomes.count:
        breaches.append("\(stamp) arrived, and was never published")
      case .message(let stamp):
        if outcomes[stamp.number] == .notSent { breaches.append("\(stamp) arrived, though its publisher was refused") }
        if !seen.insert(stamp.number).inserted {
          breaches.append("\(stamp) arrived twice")
        } else if outcomes[stamp.number] == .unconfirmed {
          // Where it stands says nothing.
        } else if stamp.number < next {
          breaches.append("\(stamp) arrived behind number \(next - 1)")
        } else {
          miss(next..<stamp.number)
          next = stamp.number + 1
          hasGap = false
        }
      }
    }
    miss(next..<outcomes.count)
    return breaches
  }
}

extension Ledger: CustomStringConvertible {
  var description: String {
    "\(count) messages, \(count(.published)) published, \(count(.notSent)) not sent, \(count(.unconfirmed)) unconfirmed"
  }
}
