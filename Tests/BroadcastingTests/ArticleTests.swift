//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import Testing

@Suite("Articles")
struct ArticleTests {
  @Test(
    "the article on writing a backend shows the drivers that are compiled and tested here",
    arguments: ["LoopbackDriver.swift", "KeepingDriver.swift"])
  func drivers(file: String) throws {
    let here = URL(filePath: #filePath).deletingLastPathComponent()
    let code = try String(contentsOf: here.appending(path: file), encoding: .utf8)
    let articles = here.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Broadcasting/Broadcasting.docc")
    let article = try String(contentsOf: articles.appending(path: "WritingABackend.md"), encoding: .utf8)
    let shown = Set(article.split(separator: "\n"))
    for line in code.split(separator: "\n") where !line.hasPrefix("//") && !line.hasPrefix("import") {
      #expect(line.hasPrefix("  /// ") || shown.contains(line), "not in the article: \(line)")
    }
  }
}
