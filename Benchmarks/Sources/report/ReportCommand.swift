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

/// Makes `RESULTS.md` and `results.svg` of what `scripts/bench` has collected.
///
/// usage: report MEASUREMENTS FOLDER
@main
struct ReportCommand {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let input = arguments.first, let folder = arguments.dropFirst().first, arguments.count == 2 else {
      complain("usage: report MEASUREMENTS FOLDER")
      exit(64)
    }
    do {
      let data = try Data(contentsOf: URL(filePath: input))
      let measurements = try Measurements(lines: String(decoding: data, as: UTF8.self))
      try save(Table(measurements: measurements).text, to: "\(folder)/RESULTS.md")
      try save(Picture(measurements).text, to: "\(folder)/results.svg")
    } catch {
      complain("\(error)")
      exit(1)
    }
  }

  private static func save(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  private static func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}
