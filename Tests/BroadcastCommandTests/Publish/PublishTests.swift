//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("broadcast publish")
struct PublishTests {
  @Test("what a server keeps is not for who publishes to say", arguments: ["localhost:1", "https://localhost:1"])
  func historyOfAServer(target: String) async throws {
    let invocation = try Invocation.parse(["publish", target, "a", "x", "--history", "5"]) { _ in nil }
    guard case .run(let options as PublishOptions) = invocation else { throw Failure("no options", .misuse) }
    // Nobody is asked: that there is no server would be another code.
    #expect(await Publish(options).run() == .misuse)
  }
}
