//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("The example users", .serialized, .timeLimit(.minutes(20)))
struct UsersTests {
  @Test(
    "a client on autobahn that sends all at once is answered in order, and plain HTTP finds the same",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func protocolOfTheArticle() async throws {
    try await ExampleProcess.with("users", environment: ["ADMIN_TOKEN": "s3cret"]) { example in
      let create = #"""
        {"method": "POST", "url": "/user/", "data": {"name": "katherine", "fullname": "Katherine Johnson", \#
        "password": "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92", "addresses": [{"id": 1}]}, \#
        "event_name": "create-user"}
        """#
      let client = try await PythonProgram.requests.start([
        example.socketURL("/?notify=users"),
        #"{"method": "POST", "url": "/address/", "data": {"email_address": "kj@example.org"}, "event_name": "create-address"}"#,
        #"{"method": "GET", "url": "/user/list/", "event_name": "get-user-list"}"#,
        create, create,
        #"{"method": "PUT", "url": "/user/6/", "data": {"fullname": "K. Johnson", "addresses": [{"id": 1}, {"id": 2}]}, "event_name": "update-user"}"#,
        #"{"method": "GET", "url": "/user/6/"}"#,
      ])
      try await client.line(containing: #"{"status": 200"#)
      let answers = client.transcript().filter { $0.contains(#""status": "#) }
      #expect(answers.count == 6)
      let (first, second) = (
        #"{"email_address":"ada@example.org","id":1}"#, #"{"email_address":"kj@example.org","id":2}"#
      )
      let user = #"{"addresses":[\#(first),\#(second)],"fullname":"K. Johnson","id":6,"name":"katherine"}"#
      #expect(
        answers == [
          #"{"event_name": "create-address", "status": 201, "data": \#(second), "headers": {"location": "/address/2"}}"#,
          answers[1],
          #"""
          {"event_name": "create-user", "status": 201, "data": {"addresses":[\#(first)],"fullname":"Katherine Johnson",\#
          "id":6,"name":"katherine"}, "headers": {"location": "/user/6"}}
          """#,
          #"""
          {"event_name": "create-user", "status": 409, "error": "name_taken", "detail": "The name katherine is taken. \#
          Choose another one."}
          """#,
          #"{"event_name": "update-user", "status": 200, "data": \#(user)}"#,
          #"{"status": 200, "data": \#(user)}"#,
        ])
      #expect(answers[1].hasPrefix(#"{"event_name": "get-user-list", "status": 200, "data": [{"addresses":[],"#))
      #expect(answers[1].contains(#""id":5,"#) && !answers[1].contains(#""id":6,"#))
      // Three changes, each told once, of which the refused one is none.
      // They come between the answers, or behind them.
      let update = #"{"event_name": "users", "data": {"action":"updated","user":\#(user)}}"#
      try await settle { client.transcript().contains(update) }
      #expect(client.transcript().filter { $0.contains(#""event_name": "users""#) }.count == 3)
      #expect(!client.transcript().contains { $0.contains("password") })

      #expect(try await Curl.run(["\(example.url)/user/6/"]).body == user)
      try await httpAlone(example)

      // What is deleted over HTTP is told on the socket.
      let gone = try await Curl.run(["-X", "DELETE", "\(example.url)/user/6?token=s3cret"])
      #expect(gone.status == 204)
      try await client.line(containing: #""data": {"action":"deleted","user":{"#)
      #expect(try await Curl.run(["\(example.url)/user/6"]).status == 404)
      #expect(try await Curl.run(["\(example.url)/address/2"]).body == second)
      try client.send("close")
      try await client.line(containing: "closed 1000")

      // Who asks for no notifications gets answers alone.
      let plain = try await PythonProgram.requests.start([
        example.socketURL(""),
        #"{"method": "POST", "url": "/address/", "data": {"email_address": "x@example.org"}, "event_name": "a"}"#,
        #"{"method": "GET", "url": "/user/1/", "event_name": "b"}"#,
      ])
      try await plain.line(containing: #""event_name": "b""#)
      try plain.send("close")
      try await plain.line(containing: "closed 1000")
      #expect(plain.transcript().count == 3)
      let handshake = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ]
      let refused = try await Curl.run(handshake.flatMap { ["-H", $0] } + ["\(example.url)/?notify=orders"])
      #expect(refused.status == 400 && refused.body.contains("users alone"))
    }
  }

  /// Errors name the field and what was wrong with it.
  private func httpAlone(_ example: ExampleProcess) async throws {
    let mistakes = [
      ("POST", "/user", #"{"fullname": "x"}"#, 422, #"\"name\" is missing"#),
      ("POST", "/user", #"{"name": "a@b"}"#, 422, #"\"name\" must not have an @"#),
      ("POST", "/user", #"{"name": 7}"#, 422, #"\"name\" must be a string"#),
      ("POST", "/user", #"{"name": "x", "nickname": "y"}"#, 422, #"\"nickname\" is unknown here"#),
      ("POST", "/user", "{", 400, "not JSON"),
      ("POST", "/user", "[]", 400, "must be an object"),
      ("POST", "/user", "", 400, "no data"),
      ("PUT", "/user/1", "{}", 422, "Nothing is said"),
      ("PUT", "/user/1", #"{"fullname": "\#(String(repeating: "x", count: 51))"}"#, 422, "51 characters; 1 to 50"),
      ("PUT", "/user/1", #"{"addresses": [{"id": 77}, {"id": 1}, {"id": 99}]}"#, 422, "not there: 77, 99"),
      ("PUT", "/user/1", #"{"addresses": [{"id": "one"}]}"#, 422, #"\"addresses.0.id\" must be a whole number"#),
      ("PUT", "/user/1", #"{"addresses": [{"id": 1, "at": 1}]}"#, 422, #"\"addresses.0.at\" is unknown"#),
      ("PUT", "/user/1", #"{"name": "grace"}"#, 409, "The name grace is taken"),
      ("PUT", "/user/700", #"{"fullname": "x"}"#, 404, "no user 700"),
      ("PUT", "/user/99999999999999999999", #"{"fullname": "x"}"#, 404, "no user"),
      ("POST", "/address", #"{"email_address": "nobody"}"#, 422, #"\"email_address\" must be like"#),
      ("PUT", "/address/77", #"{"email_address": "a@b.c"}"#, 404, "no address 77"),
      ("GET", "/user/list?limit=0", "", 400, #"\"limit\" must be a whole number from 1 to 500"#),
      ("DELETE", "/user/5", "", 401, "needs the token"),
      ("DELETE", "/user/5?token=guess", "", 403, "not the token"),
      ("DELETE", "/address/1?token=", "", 403, "not the token"),
    ]
    for (method, path, body, status, detail) in mistakes {
      let answer = try await Curl.run(["-X", method, "--data-raw", body, "\(example.url)\(path)"])
      #expect(answer.status == status, "\(method) \(path) \(body): \(answer.body)")
      #expect(answer.body.contains(detail), "\(method) \(path) \(body): \(answer.body)")
    }
    let foreign = [
      "-X", "PUT", "-H", "Origin: https://evil.example", "-d", #"{"fullname": "x"}"#, "\(example.url)/user/1",
    ]
    #expect(try await Curl.run(foreign).status == 403)
    #expect(try await Curl.run(["\(example.url)/user/1"]).body.contains("Ada Lovelace"))
    let page = try await Curl.run(["\(example.url)/user/list?after=1&limit=1"])
    #expect(page.body == #"[{"addresses":[],"fullname":"Grace Hopper","id":2,"name":"grace"}]"#)
  }

  @Test(
    "the page says that the database is away, and is right again after it",
    .enabled(if: Tool.chromium.isWanted && Tool.python.isWanted, "Chromium, or Python's packages, are missing"),
    .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"))
  func comingBack() async throws {
    try await PostgresServer.with { server in
      try await ExampleProcess.with("users", environment: ["DATABASE_URL": server.url]) { example in
        let browser = try await Browser()
        try await browser.open(example.url)
        try await browser.wait(until: "document.querySelectorAll('#users li').length === 5")
        try await server.kill()
        try await browser.wait(until: "document.querySelector('#state').textContent.includes('database is away')")
        try await server.start()
        try await browser.wait(until: "document.querySelector('#state').textContent === 'Connected'")
        try await settle {
          try await Curl.run(["-X", "PUT", "-d", #"{"fullname": "Ada King"}"#, "\(example.url)/user/1"]).status == 200
        }
        try await browser.wait(until: "document.querySelector('#users').textContent.includes('Ada King')")
        #expect(try await browser.problems() == [])
        try await browser.close()
      }
    }
  }

  @Test(
    "a person tries frames on the page, and another page hears of what was changed",
    .enabled(if: Tool.chromium.isWanted && Tool.python.isWanted, "Chromium, or Python's packages, are missing"))
  func page() async throws {
    try await ExampleProcess.with("users") { example in
      let shown = "document.querySelectorAll('#users li').length"
      let (here, there) = (try await Browser(), try await Browser(width: 390, height: 800))
      for browser in [here, there] {
        try await browser.open(example.url)
        try await browser.wait(until: "document.querySelector('#state').textContent === 'Connected'")
        try await browser.wait(until: "\(shown) === 5")
      }
      try await here.click("#send")
      try await here.wait(until: "document.querySelector('#frames .answer')?.textContent.includes('Ada Lovelace')")
      try await here.click("#examples button:nth-child(4)")
      try await here.click("#send")
      for browser in [here, there] {
        try await browser.wait(until: "\(shown) === 6")
        try await browser.wait(until: "document.querySelector('#users').textContent.includes('ada@example.org (1)')")
        try await browser.wait(until: "document.querySelector('#frames .news')?.textContent.includes('Katherine')")
      }
      try await here.click("#examples button:nth-child(7)")
      try await here.click("#send")
      try await here.wait(
        until: #"document.querySelector('#frames .error')?.textContent.includes('"method\\" is missing')"#)

      // A page that has lost its socket comes back by itself, and hears on.
      _ = try await there.evaluate("(window.lost = socket).close()")
      try await there.wait(until: "socket !== lost && document.querySelector('#state').textContent === 'Connected'")

      // A name is text, whatever it looks like.
      let markup = #"{"method": "PUT", "url": "/user/1", "data": {"fullname": "<img src=x onerror=alert(1)>"}}"#
      try await here.type(markup, into: "#frame")
      try await here.click("#send")
      try await there.wait(until: "document.querySelector('#users').textContent.includes('<img src=x')")
      #expect(try await there.evaluate("document.querySelectorAll('#users img').length") == "0")
      if let folder = currentEnvironment()["BROADCAST_SCREENSHOTS"] {
        try await here.type(markup.replacing("<img src=x onerror=alert(1)>", with: "Ada Lovelace"), into: "#frame")
        try await here.click("#send")
        try await here.wait(until: "!document.querySelector('#users').textContent.includes('<img src=x')")
        try await here.click("#clear")
        for (example, number) in [(2, 1), (7, 2), (5, 4)] {
          try await here.click("#examples button:nth-child(\(example))")
          try await here.click("#send")
          try await here.wait(until: "document.querySelectorAll('#frames li:not(.sent)').length === \(number)")
        }
        try await here.screenshot(to: "\(folder)/RequestsOverWebSocket.png")
        try await there.screenshot(to: "\(folder)/RequestsOverWebSocket-phone.png")
      }
      // Nothing is cut off at the sides of a phone.
      #expect(try await there.evaluate("document.documentElement.scrollWidth <= innerWidth") == "true")
      for browser in [here, there] {
        #expect(try await browser.problems() == [])
        try await browser.close()
      }
    }
  }
}
