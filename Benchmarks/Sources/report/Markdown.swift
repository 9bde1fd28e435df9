//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

enum Markdown {
  /// The first columns are text, the others numbers.
  static func table(_ heads: [String], _ rows: [[String]], textColumns: Int) -> String {
    let line = heads.indices.map { $0 < textColumns ? "---" : "--:" }
    return ([heads, line] + rows).map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
  }
}
