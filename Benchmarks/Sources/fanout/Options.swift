//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import measuring

struct Options {
  var wantsJSON = false
  var wantsHelp = false
  var wantsGateOnly = false
  var rounds = 5
  var deliveries = 200_000

  static let help = """
    usage: fanout [--gate] [--json] [--rounds N] [--deliveries N]

      --gate          measures nothing but what the exit code depends on
      --json          the result as JSON instead of a table
      --rounds N      measured rounds, of which the median counts (5)
      --deliveries N  deliveries of a measurement, at least (200000)

    The exit code is 1 when ours takes more than 1/20 of the CPU of AsyncStream, for bursts of 64 to 1,000 subscribers.
    """

  init(_ arguments: some Collection<String>) throws(OptionError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--gate": wantsGateOnly = true
      case "--json": wantsJSON = true
      case "--help", "-h": wantsHelp = true
      case "--rounds": rounds = try number(rest.popFirst(), of: argument)
      case "--deliveries": deliveries = try number(rest.popFirst(), of: argument)
      default: throw OptionError("fanout: there is no option \(argument)")
      }
    }
  }
}
