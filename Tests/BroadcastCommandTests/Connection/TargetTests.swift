//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("Targets")
struct TargetTests {
  @Test("a host without a scheme is taken for http, as curl does")
  func withoutScheme() throws {
    #expect(try Target("localhost:8080").url == "http://localhost:8080")
    #expect(try Target("https://a.example/live").url == "https://a.example/live")
  }

  @Test("memory:// is refused with the reason", arguments: ["memory://", "MEMORY://x"])
  func memory(text: String) throws {
    let failure = try #require(throws: Failure.self) { try Target(text) }
    #expect(failure.exitCode == .unknownScheme)
    #expect(failure.message.contains("within one process"))
  }
}
