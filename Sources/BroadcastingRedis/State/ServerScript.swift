//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A script in Lua that a server runs in one step: nothing else happens there meanwhile. It is loaded once and then called
/// by the digest which the server gave it.
struct ServerScript: Sendable {
  let name: String
  let source: [UInt8]

  /// Gives a message its position, announces, publishes and keeps it.
  static let record = ServerScript(name: "record", source: PackageResources.record_lua)
  /// Reads a page of a history, or its head alone.
  static let read = ServerScript(name: "read", source: PackageResources.read_lua)

  var loadCommand: [[UInt8]] { [Array("SCRIPT".utf8), Array("LOAD".utf8), source] }
}

extension ServerScript: Hashable {
  static func == (left: ServerScript, right: ServerScript) -> Bool { left.name == right.name }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A call of a script.
struct ScriptCall {
  var script: ServerScript
  var keys: [[UInt8]]
  var arguments: [[UInt8]]
  /// So many bytes may come back, about.
  var answerBytes = 0

  func command(digest: [UInt8]) -> [[UInt8]] {
    [Array("EVALSHA".utf8), digest, Array("\(keys.count)".utf8)] + keys + arguments
  }
}
