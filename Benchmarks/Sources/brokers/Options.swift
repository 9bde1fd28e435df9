//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import measuring

struct Options {
  /// Where the publishers and the subscriber run.
  enum Place: String {
    /// On Swift's global pool, as tasks do by themselves.
    case pool
    /// On the event loop that the backend runs on, as the handlers of a server do.
    case loop
  }

  enum Work {
    /// One publisher, whose next message goes out when the one before has come back.
    case roundTrip
    /// 64 tasks, each of which awaits its publishes: of one message, or of several as one step.
    case throughput(atATime: Int)
  }

  var url = ""
  var place = Place.pool
  var work = Work.throughput(atATime: 1)
  var messages = 300_000
  /// Whether each message carries the time of its sending, and its latency is kept.
  var isStamped = false
  var wantsHelp = false

  static let help = """
    usage: brokers URL [--on pool|loop] [--at-a-time N | --round-trip] [--stamp] [--messages N]

      URL              redis://…, postgres://… or kafka://…
      --on pool|loop   where the tasks run: Swift's global pool, or the backend's event loop (pool)
      --at-a-time N    64 tasks publish N messages with each call (1)
      --round-trip     one task publishes a message when the one before has come back
      --stamp          each message carries the time of its sending, and its latency is kept
      --messages N     of one measurement (300000)

    Prints JSON. The exit code is 2 when a message was lost, doubled, out of order or refused.
    """

  init(_ arguments: some Collection<String>) throws(OptionError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": wantsHelp = true
      case "--stamp": isStamped = true
      case "--round-trip": work = .roundTrip
      case "--at-a-time": work = .throughput(atATime: try number(rest.popFirst(), of: argument))
      case "--messages": messages = try number(rest.popFirst(), of: argument)
      case "--on":
        guard let place = rest.popFirst().flatMap(Place.init(rawValue:)) else {
          throw OptionError("brokers: --on takes pool or loop")
        }
        self.place = place
      default:
        guard url.isEmpty, !argument.hasPrefix("-") else {
          throw OptionError("brokers: there is no option \(argument)")
        }
        url = argument
      }
    }
    if url.isEmpty, !wantsHelp { throw OptionError("brokers: which URL?") }
  }
}
