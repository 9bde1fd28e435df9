//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Makes `RESULTS.md` and `results.svg` of what `scripts/bench` has collected. With `--brokers` it prints what was measured
/// over the brokers instead, and ends with 1 when a goal is missed; with `--gate` only when it is missed by a factor of two.
///
/// usage: report MEASUREMENTS FOLDER | report --brokers MEASUREMENTS | report --gate MEASUREMENTS
@main
struct ReportCommand {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let first = arguments.first, let second = arguments.dropFirst().first, arguments.count == 2 else {
      complain("usage: report MEASUREMENTS FOLDER | report --brokers MEASUREMENTS | report --gate MEASUREMENTS")
      exit(64)
    }
    do {
      switch first {
      case "--brokers": printBrokers(try measurements(in: second)) { $0.isReached }
      case "--gate": printBrokers(try measurements(in: second)) { $0.isNearlyReached }
      default: try save(try measurements(in: first), in: second)
      }
    } catch {
      complain("\(error)")
      exit(1)
    }
  }

  private static func measurements(in path: String) throws -> Measurements {
    try Measurements(lines: String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self))
  }

  private static func save(_ measurements: Measurements, in folder: String) throws {
    try save(Table(measurements: measurements).text, to: "\(folder)/RESULTS.md")
    try save(Picture(measurements).text, to: "\(folder)/results.svg")
  }

  private static func printBrokers(_ measurements: Measurements, passing: (BrokerGoal) -> Bool) {
    print(BrokerTable(brokers: measurements.brokers).blocks.joined(separator: "\n\n"))
    let goals = measurements.brokers.flatMap(BrokerGoal.goals)
    if goals.isEmpty || !goals.allSatisfy(passing) { exit(1) }
  }

  private static func save(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  private static func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}
