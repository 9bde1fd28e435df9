//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingJSON
import BroadcastingServer
import FoundationEssentials

/// Rooms in which people talk: a socket is one person in one room. What is said goes through the broker, which keeps it and
/// knows who is present, so that it does not matter which server somebody talks to.
struct Chat: Sendable {
  /// With how many messages a newcomer begins. Who comes back gets all that he missed, as far as it is kept.
  static let welcomedWith = 50
  static let kept = HistoryPolicy(maximumMessages: 500)
  /// The most people in a room.
  static let maximumPeople = 500
  private static let channelPrefix = "chat."
  /// A room is present here as long as somebody is in it.
  private static let rooms: Channel = "rooms"
  private static let maximumRoomsListed = 200

  let broadcast: any Broadcast
  /// What people are told of where they are.
  let server: String

  static func configure(_ hub: inout HubConfiguration) {
    hub.history = [.init("\(channelPrefix)*", kept)]
    hub.presence.maximumMembers = maximumPeople
  }

  func addRoutes(to routes: inout Routes) {
    routes.get("/rooms") { request in
      try request.checkOrigin()
      let names = try await broadcast.presence(of: Self.rooms).prefix(Self.maximumRoomsListed).map(\.name)
      return .json(Array(try JSONEncoder().encode(["rooms": names])), headers: ["Cache-Control": "no-store"])
    }
    routes.socket("/rooms/:room", accept: { try await admit($0) }, handler: { try await serve($1, on: $0) })
  }

  // MARK: Coming in

  private struct Visit: Sendable {
    var room: String
    var person: Person
    var entries: [PresenceEntry]
    var subscription: Subscription
    var channel: Channel { Channel(Chat.channelPrefix + room) }
    /// For signs of typing, which are not kept.
    var typing: Channel { Channel("typing." + room) }
  }

  /// All that can be refused is refused here, by a status in place of the 101.
  private func admit(_ request: Request) async throws -> Visit {
    let room: String
    let person: Person
    var start = SubscriptionStart.last(Self.welcomedWith)
    do throws(Refusal) {
      let query: HTTPQuery
      do throws(RequestError) { query = try request.query() } catch { throw Refusal(error.code, error.message) }
      room = try Rules.room(request.parameters["room"] ?? "")
      person = Person(id: try Rules.id(query["id"]), name: try Rules.name(query["name"]))
      if let after = query["after"] {
        guard let position = MessagePosition(after) else {
          throw Refusal(
            "invalid_position", "The parameter after is the position of a message, such as 1795293978319901-42.")
        }
        start = .after(position)
      }
    } catch {
      throw RequestError(.badRequest, error.code, error.message)
    }
    let channel = Channel(Self.channelPrefix + room)
    let typing = Channel("typing." + room)
    var options = SubscriptionOptions()
    options.starts = [channel: start]
    let subscription = try await broadcast.subscribe(to: [channel, typing], options: options)
    // The same person by another server, in the moments after that one died, is one member, who leaves with the last.
    let entries = [
      try await broadcast.enterPresence(on: channel, as: PresenceMember(person.id, info: person.name)),
      try await broadcast.enterPresence(on: Self.rooms, as: PresenceMember(room)),
    ]
    return Visit(room: room, person: person, entries: entries, subscription: subscription)
  }

  private func serve(_ visit: Visit, on socket: WebSocket) async throws {
    defer {
      visit.subscription.cancel()
      for entry in visit.entries { entry.leave() }
    }
    try await socket.send(.welcome(visit.person, to: visit.room, by: server))
    // The first to end ends the others, and the socket.
    try await runUntilFirstCompletes(
      { try await listen(to: visit, on: socket) },
      {
        try await runUntilFirstCompletes(
          { try await tellMessages(of: visit, to: socket) },
          { try await tellPeople(of: visit, to: socket) })
      })
  }

  // MARK: What the client says

  private func listen(to visit: Visit, on socket: WebSocket) async throws {
    var limits = SocketLimits()
    while let message = await socket.receive() {
      var id: String?
      do {
        let frame = try ClientFrame(json: message.bytes)
        if case .say(let said, _) = frame { id = said }
        try limits.check(frame, at: .now)
        try await publish(frame, of: visit)
      } catch let refusal as Refusal {
        guard limits.mayGoOn(at: .now) else {
          throw WebSocketClosure(.policyViolation, "Too many frames were refused. Heed what they are answered with.")
        }
        try await socket.send(.error(refusal, about: id))
      }
    }
  }

  /// Where the broker does not take a message, or does not say so, the socket is closed: the client comes back, sees in the past
  /// what became of it, and repeats it if need be.
  private func publish(_ frame: ClientFrame, of visit: Visit) async throws {
    switch frame {
    case .say(let id, let text):
      let now = Int64(Date().timeIntervalSince1970 * 1_000)
      try await broadcast.publish(json: Said(id: id, from: visit.person, text: text, at: now), to: visit.channel)
    case .typing:
      try await broadcast.publish(json: visit.person, to: visit.typing)
    }
  }

  // MARK: What the client is told

  private func tellMessages(of visit: Visit, to socket: WebSocket) async throws {
    let recovery = visit.subscription.recovery(of: visit.channel)
    var past = recovery?.messages ?? 0
    if past == 0 { try await socket.send(.ready(at: recovery?.head)) }
    for try await delivery in visit.subscription {
      switch delivery {
      case .message(let message) where message.channel == visit.channel:
        // What others publish on the broker need not be of ours.
        if let said = try? message.decoded(as: Said.self) {
          try await socket.send(.message(said, at: message.position))
        }
        past -= 1
        if past == 0 { try await socket.send(.ready(at: recovery?.head)) }
      case .message(let message):
        if let person = try? message.decoded(as: Person.self), person.id != visit.person.id {
          try await socket.send(.typing(person))
        }
      case .gap(let gap) where gap.channel != visit.channel: break
      case .gap(let gap) where gap.reason == .historyTrimmed || gap.reason == .historyRestarted:
        try await socket.send(.missed)
      // The history has what this socket was too slow for: its client comes back behind the last message that it got.
      case .gap: throw WebSocketClosure(.missedMessages, "You read too slowly. Come back.")
      }
    }
  }

  private func tellPeople(of visit: Visit, to socket: WebSocket) async throws {
    for try await update in try await broadcast.presenceUpdates(of: visit.channel) {
      try await socket.send(ServerFrame(update))
    }
  }
}

extension WebSocket {
  fileprivate func send(_ frame: ServerFrame) async throws {
    try await send(.text(String(decoding: try JSONEncoder().encode(frame), as: UTF8.self)))
  }
}
