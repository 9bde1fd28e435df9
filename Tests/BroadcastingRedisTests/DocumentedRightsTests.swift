//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingRedis

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Rights in the documentation")
struct DocumentedRightsTests {
  @Test("the article has the same as the errors say", arguments: [RedisError.historyRights, RedisError.presenceRights])
  func article(rights: String) throws {
    let article = try read("Sources/BroadcastingRedis/BroadcastingRedis.docc/RedisInProduction.md")
    let commands = rights.split(separator: " ").filter { $0.hasPrefix("+") }.joined(separator: " ")
    #expect(article.contains("ACL SETUSER app ~broadcast:* \(commands)\n"))
  }

  private func read(_ path: String) throws -> String {
    let file = try #require(fopen("\(projectFolder)/\(path)", "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
