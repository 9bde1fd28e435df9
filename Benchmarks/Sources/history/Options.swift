//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import measuring

struct Options {
  /// Of a Redis, beside which memory is measured. Nil: memory alone.
  var redis: String?
  var wantsJSON = false
  var wantsGate = false
  var wantsHelp = false
  var rounds = 5

  static let help = """
    usage: history [redis://…] [--gate] [--json] [--rounds N]

      redis://…    measures over this Redis too, not on memory alone
      --gate       measures nothing but what the exit code depends on
      --json       the result as JSON instead of a table
      --rounds N   measured rounds, of which the median counts (5)

    The exit code is 1 when publishing on memory takes more than three times the CPU with a history, or a member who joins
    and leaves more than twice the CPU beside 10,000 others as beside ten.
    """

  init(_ arguments: some Collection<String>) throws(OptionError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--gate": wantsGate = true
      case "--json": wantsJSON = true
      case "--help", "-h": wantsHelp = true
      case "--rounds": rounds = try number(rest.popFirst(), of: argument)
      default:
        guard redis == nil, argument.hasPrefix("redis://") else {
          throw OptionError("history: there is no option \(argument)")
        }
        redis = argument
      }
    }
  }
}
