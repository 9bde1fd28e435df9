//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("GET /history", .timeLimit(.minutes(1)))
struct HistoryTests {
  @Test("it gives the last messages, the oldest first, with their positions")
  func last() async throws {
    try await withKeepingServer { server in
      let positions = try await server.publish(0..<10, to: "kept.a")
      let response = try await server.connect().request(.get, "/history?channel=kept.a&limit=2")
      #expect(
        response?.text == """
          {"channel": "kept.a", "head": "\(positions[9])", "complete": true, "more": false, "messages": [\
          {"position": "\(positions[8])", "message": "8"}, {"position": "\(positions[9])", "message": "9"}]}
          """)
      #expect(response?.headers["Content-Type"] == "application/json")
      #expect(response?.headers["Cache-Control"] == "no-store")
      let first = try await server.connect().request(.get, "/history?channel=kept.a&last=4&limit=1")
      #expect(
        first?.text.contains("\"more\": true, \"messages\": [{\"position\": \"\(positions[6])\", \"message\": \"6\"}]")
          == true)
    }
  }

  @Test("behind a position it goes on page by page to the end")
  func pages() async throws {
    try await withKeepingServer { server in
      let positions = try await server.publish(0..<10, to: "kept.a")
      let client = try await server.connect()
      let first = try await client.request(.get, "/history?channel=kept.a&limit=5&after=\(positions[3])")
      #expect(
        first?.text.contains("\"complete\": true, \"more\": true, \"messages\": [{\"position\": \"\(positions[4])\"")
          == true)
      let second = try await client.request(.get, "/history?channel=kept.a&limit=5&after=\(positions[8])")
      #expect(
        second?.text.contains(
          "\"more\": false, \"messages\": [{\"position\": \"\(positions[9])\", \"message\": \"9\"}]}") == true)
      let third = try await client.request(.get, "/history?channel=kept.a&after=\(positions[9])")
      #expect(
        third?.text.contains("\"head\": \"\(positions[9])\", \"complete\": true, \"more\": false, \"messages\": []}")
          == true)
    }
  }

  @Test("what is no longer kept is not complete")
  func trimmed() async throws {
    try await withKeepingServer(messages: 3) { server in
      let positions = try await server.publish(0..<10, to: "kept.a")
      let response = try await server.connect().request(.get, "/history?channel=kept.a&after=\(positions[2])")
      #expect(
        response?.text.contains(
          "\"complete\": false, \"more\": false, \"messages\": [{\"position\": \"\(positions[7])\"") == true)
    }
  }

  @Test("a binary message is base64, and of no message there is no head")
  func forms() async throws {
    try await withKeepingServer { server in
      let client = try await server.connect()
      let nothing = try await client.request(.get, "/history?channel=kept.a")
      #expect(
        nothing?.status == .ok
          && nothing?.text.contains("\"complete\": true, \"more\": false, \"messages\": []}") == true)
      try await server.broadcast.publish(Message([0, 255], to: "kept.a"))
      let one = try await client.request(.get, "/history?channel=kept.a")
      #expect(one?.text.contains("\"bytes\": \"AP8=\"}]}") == true)
    }
  }

  @Test("a channel without a history is 404, and what clients may not have 403")
  func refusals() async throws {
    try await withKeepingServer { configuration in
      configuration.channels = (try? ChannelPatterns(["kept.*", "other"])) ?? .all
    } _: { server in
      let client = try await server.connect()
      let none = try await client.request(.get, "/history?channel=other")
      #expect(none?.status == .notFound && none?.text.contains("no_history") == true)
      #expect(try await client.request(.get, "/history?channel=secret")?.status == .forbidden)
      #expect(try await client.request(.get, "/history")?.status == .forbidden)
      #expect(try await client.request(.post, "/history?channel=kept.a")?.status == .methodNotAllowed)
      let foreign = try await client.request(
        .get, "/history?channel=kept.a", ["Origin": "https://evil.example", "Host": "localhost"])
      #expect(foreign?.status == .forbidden)
    }
  }

  @Test("a name that leads to the server makes no page its own: without an origin the host must be known")
  func unknownHost() async throws {
    try await withKeepingServer { configuration in
      configuration.origins = (try? OriginPolicy(hosts: ["events.example"])) ?? .sameOrigin
    } _: { server in
      let client = try await server.connect()
      for host in ["evil.example", "evil.example:8080", "events.example.evil.example"] {
        let refused = try await client.request(.get, "/history?channel=kept.a", ["Host": host])
        #expect(refused?.status == .forbidden && refused?.text.contains("host_not_allowed") == true, "\(host)")
      }
      for host in ["localhost:8080", "127.0.0.1", "[::1]:80", "events.example"] {
        let answer = try await client.request(.get, "/history?channel=kept.a", ["Host": host])
        #expect(answer?.status == .ok, "\(host)")
      }
      let program: HTTPHeaders = ["Host": "evil.example", "Sec-Broadcast-Client": "x"]
      #expect(try await client.request(.get, "/history?channel=kept.a", program)?.status == .ok)
      // A page that says its origin is judged by that, whatever else it could send.
      let page: HTTPHeaders = ["Host": "evil.example", "Origin": "http://evil.example", "Sec-Broadcast-Client": "x"]
      #expect(try await client.request(.get, "/history?channel=kept.a", page)?.status == .forbidden)
    }
  }

  @Test("a route of the program at its path stays where nothing is kept, and is a mistake where something is")
  func ownRoute() async throws {
    try await withServer(routes: { $0.get("/history") { _ in .text("mine") } }) { server in
      let response = try await server.connect().request(.get, "/history")
      #expect(response?.text == "mine")
    }
    try await withServer { server in
      let response = try await server.connect().request(.get, "/history?channel=a")
      #expect(response?.status == .notFound && response?.text.contains("no_history") == true)
    }
    var configuration = HubConfiguration()
    configuration.history = [.init("*")]
    let server = BroadcastServer(
      MemoryBroadcast(configuration: configuration), configuration: .init(port: 0)
    ) { $0.get("/history") { _ in .text("mine") } }
    let error = await #expect(throws: RouteError.self) { try await server.run() }
    #expect(error?.code == .duplicateRoute && error?.message.contains("Endpoints") == true)
  }

  @Test("an allowed page of another origin may read it")
  func crossOrigin() async throws {
    try await withKeepingServer { configuration in
      configuration.origins = (try? OriginPolicy(origins: ["https://app.example"])) ?? .sameOrigin
    } _: { server in
      let client = try await server.connect()
      let origin: HTTPHeaders = ["Origin": "https://app.example", "Access-Control-Request-Method": "GET"]
      let answer = try await client.request(.get, "/history?channel=kept.a", origin)
      #expect(answer?.status == .ok && answer?.headers["Access-Control-Allow-Origin"] == "https://app.example")
      let preflight = try await client.request(.options, "/history?channel=kept.a", origin)
      #expect(preflight?.headers["Access-Control-Allow-Methods"] == "GET")
    }
  }

  @Test("it can be switched off and moved, and checks of the program hold for it")
  func configured() async throws {
    try await withKeepingServer {
      $0.endpoints.history = nil
    } _: { server in
      let response = try await server.connect().request(.get, "/history?channel=kept.a")
      #expect(response?.status == .notFound)
    }
    try await withKeepingServer { configuration in
      configuration.endpoints.history = "/past"
    } routes: { routes in
      routes.check { _ in throw RequestError(.unauthorized, "who", "Who are you?") }
    } _: { server in
      let response = try await server.connect().request(.get, "/past?channel=kept.a")
      #expect(response?.status == .unauthorized)
    }
  }

  @Test("a push is answered with its position")
  func push() async throws {
    try await withKeepingServer { server in
      let client = try await server.connect()
      let json = try await client.post(json: #"{"channel": "kept.a", "message": {"a": 1}}"#)
      let text = try await client.post("/push?channel=kept.a", "text/plain", Array("x".utf8))
      let bytes = try await client.post("/push?channel=kept.a", "application/octet-stream", [1])
      let history = try await server.broadcast.history(of: "kept.a")
      let positions = history.messages.compactMap(\.position)
      for (response, position) in zip([json, text, bytes], positions) {
        #expect(response?.text.hasSuffix(", \"position\": \"\(position)\"}") == true)
      }
      #expect(positions.count == 3)
      #expect(
        try await client.post(json: #"{"channel": "other", "message": 1}"#)?.text
          == #"{"channel": "other", "message": "1"}"#)
    }
  }
}
