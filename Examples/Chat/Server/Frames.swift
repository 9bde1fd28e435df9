//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import FoundationEssentials

/// What a client says, as JSON in a text frame.
enum ClientFrame: Equatable {
  /// The id is the client's: whoever does not know whether a message was said repeats it under the same one.
  case say(id: String, text: String)
  case typing

  private struct Fields: Decodable {
    var type: String
    var id: String?
    var text: String?
  }

  init(json: [UInt8]) throws(Refusal) {
    let fields: Fields
    do { fields = try JSONDecoder().decode(Fields.self, from: Data(json)) } catch {
      throw Refusal("invalid_frame", #"A frame is JSON such as {"type": "say", "id": "…", "text": "hello"}."#)
    }
    switch fields.type {
    case "say": self = .say(id: try Rules.id(fields.id), text: try Rules.text(fields.text))
    case "typing": self = .typing
    default: throw Refusal("unknown_type", #"The type of a frame is "say" or "typing"."#)
    }
  }
}

/// Somebody in a room. The id tells people of one name apart, and is the same when somebody comes back.
struct Person: Codable, Equatable {
  var id: String
  var name: String
}

/// What somebody said, as it goes through the broker and is kept there.
struct Said: Codable, Equatable {
  var id: String
  var from: Person
  var text: String
  /// Milliseconds since 1970, by the clock of the server that took it.
  var at: Int64
}

/// What a client is told, as JSON in a text frame. Fields that a type does not have are left out.
struct ServerFrame: Encodable {
  var type: String
  var room: String?
  var server: String?
  var id: String?
  var from: Person?
  var text: String?
  var at: Int64?
  var position: String?
  var people: [Person]?
  var person: Person?
  var code: String?
  var message: String?
  var retryAfter: Int?

  static func welcome(_ person: Person, to room: String, by server: String) -> ServerFrame {
    ServerFrame(type: "welcome", room: room, server: server, person: person)
  }

  static func message(_ said: Said, at position: MessagePosition?) -> ServerFrame {
    ServerFrame(
      type: "message", id: said.id, from: said.from, text: said.text, at: said.at, position: position?.description)
  }

  /// The past has been told, up to here.
  static func ready(at position: MessagePosition?) -> ServerFrame {
    ServerFrame(type: "ready", position: position?.description)
  }

  /// Messages are missing here, and nobody has them any more.
  static var missed: ServerFrame { ServerFrame(type: "missed") }

  static func typing(_ person: Person) -> ServerFrame { ServerFrame(type: "typing", person: person) }

  static func error(_ refusal: Refusal, about id: String?) -> ServerFrame {
    ServerFrame(
      type: "error", id: id, code: refusal.code, message: refusal.message, retryAfter: refusal.retryAfter)
  }

  init(_ update: PresenceUpdate) {
    switch update {
    case .present(let members): self.init(type: "people", people: members.map { Person($0) })
    case .joined(let member): self.init(type: "joined", person: Person(member))
    case .changed(let member): self.init(type: "renamed", person: Person(member))
    case .left(let member): self.init(type: "left", person: Person(member))
    }
  }

  private init(
    type: String, room: String? = nil, server: String? = nil, id: String? = nil, from: Person? = nil,
    text: String? = nil, at: Int64? = nil, position: String? = nil, people: [Person]? = nil, person: Person? = nil,
    code: String? = nil, message: String? = nil, retryAfter: Int? = nil
  ) {
    self.type = type
    self.room = room
    self.server = server
    self.id = id
    self.from = from
    self.text = text
    self.at = at
    self.position = position
    self.people = people
    self.person = person
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }
}

extension Person {
  init(_ member: PresenceMember) { self.init(id: member.name, name: member.infoText ?? "") }
}
