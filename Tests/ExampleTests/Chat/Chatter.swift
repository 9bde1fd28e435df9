//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import TestSupport

/// Somebody in a room of the chat, by a program in Python.
final class Chatter: Sendable {
  /// A frame of the server. Fields that its type does not have are nil.
  struct Frame: Decodable, Equatable {
    struct Person: Codable, Hashable {
      var id: String
      var name: String
    }

    var type: String
    var server: String?
    var id: String?
    var from: Person?
    var text: String?
    var position: String?
    var people: [Person]?
    var person: Person?
    var code: String?
    var retryAfter: Int?
  }

  let person: Frame.Person
  private let process: ChildProcess

  /// - Parameter position: behind which message to begin. Nil for the last ones.
  init(at address: String, in room: String, as name: String, id: String, after position: String? = nil) async throws {
    person = Frame.Person(id: id, name: name)
    process = try await ForeignClient.start(
      "chatter", ["ws://\(address)", room, name, id] + [position].compactMap { $0 })
  }

  /// Somebody who has come in, and knows who is there.
  static func inside(
    at address: String, in room: String, as name: String, id: String
  ) async throws -> Chatter {
    let chatter = try await Chatter(at: address, in: room, as: name, id: id)
    _ = try await chatter.frame { $0.type == "people" }
    return chatter
  }

  /// Says it until it has come back, behind what it said before.
  func say(_ text: String) throws { try process.send("say \(text)") }

  func send(raw frame: String) throws { try process.send("raw \(frame)") }

  /// The next frame for which this holds. Those before it are passed over.
  func frame(where isWanted: (Frame) -> Bool) async throws -> Frame {
    while true {
      let line = try await process.line(containing: "frame ")
      let frame = try Self.frame(of: line)
      if isWanted(frame) { return frame }
    }
  }

  /// How it was refused, or lost: the next line that begins so.
  func line(containing text: String) async throws -> String { try await process.line(containing: text) }

  /// All frames that have come so far.
  func frames() throws -> [Frame] {
    try process.transcript().filter { $0.hasPrefix("frame ") }.map { try Self.frame(of: $0) }
  }

  private static func frame(of line: String) throws -> Frame {
    try JSONDecoder().decode(Frame.self, from: Data(line.dropFirst("frame ".count).utf8))
  }

  func leave() async throws {
    process.signal(.terminate)
    try await process.exit()
  }
}
