//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "The example todos", .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"),
  .timeLimit(.minutes(20)))
struct TodosTests {
  private let json = ["-H", "Content-Type: application/json"]

  private func ask(_ example: ExampleProcess, _ method: String, _ path: String, _ body: String? = nil) async throws
    -> Curl.Answer
  {
    try await Curl.run(["-X", method] + (body.map { json + ["-d", $0] } ?? []) + ["\(example.url)/api/todos/\(path)"])
  }

  /// Makes a todo, and gives its id.
  private func make(_ title: String, in example: ExampleProcess) async throws -> String {
    let answer = try await ask(example, "POST", "", #"{"title": "\#(title)"}"#)
    #expect(answer.status == 201)
    return String(answer.body.dropFirst(#"{"id":""#.count).prefix(36))
  }

  // MARK: The API

  @Test("todos are made, read, changed and deleted over HTTP, with clear errors")
  func api() async throws {
    try await ExampleProcess.with("todos") { example in
      #expect(try await ask(example, "GET", "").body == "[]")
      let made = try await Curl.run(
        ["--include", "-d", #"{"title": " Buy milk "}"#] + json + ["\(example.url)/api/todos/"])
      #expect(made.status == 201)
      let todo = String(made.body.split(whereSeparator: \.isNewline).last ?? "")
      let id = String(todo.dropFirst(#"{"id":""#.count).prefix(36))
      #expect(made.body.contains("Location: /api/todos/\(id)/"))
      #expect(todo.hasSuffix(#""title":"Buy milk","completed":false}"#))
      #expect(try await ask(example, "GET", "\(id)/").body == todo)
      #expect(try await ask(example, "GET", id.uppercased()).body == todo)
      #expect(try await ask(example, "GET", "").body == "[\(todo)]")

      // What is left out stays.
      #expect(
        try await ask(example, "PUT", "\(id)/", #"{"completed": true}"#).body.hasSuffix(
          #""title":"Buy milk","completed":true}"#))
      #expect(
        try await ask(example, "PUT", "\(id)/", #"{"title": "Buy bread"}"#).body.hasSuffix(
          #""title":"Buy bread","completed":true}"#))

      // Sent back as a client has it, changed, and without a type.
      let bread = todo.replacing("milk", with: "bread")
      let changed = try await Curl.run(
        ["-X", "PUT", "-H", "Content-Type:", "-d", bread, "\(example.url)/api/todos/\(id)"])
      #expect(changed.body == bread)

      let refused: [(String, String, String?, Int, String)] = [
        ("POST", "", #"{"title": " "}"#, 400, "empty_title"),
        (
          "POST", "", #"{"title": "\#(String(repeating: "é", count: 513))"}"#, 400,
          "513 characters, and 512 are the most"
        ),
        ("POST", "", #"{"title": 3}"#, 400, "title has to be a text"),
        ("POST", "", #"{"completed": true}"#, 400, "missing_title"),
        ("POST", "", #"{"name": "x"}"#, 400, "unknown_field"),
        ("POST", "", "{", 400, "malformed_json"),
        ("PUT", "\(id)/", #"{"completed": "yes"}"#, 400, "completed has to be true or false"),
        ("PUT", "\(id.dropLast())f0/", #"{"completed": true}"#, 404, "no_todo"),
        ("GET", "everything/", nil, 404, "no_todo"),
        ("PATCH", "\(id)/", nil, 405, "DELETE, GET, HEAD, OPTIONS, PUT"),
      ]
      for (method, path, body, status, words) in refused {
        let answer = try await ask(example, method, path, body)
        #expect(answer.status == status)
        #expect(answer.body.contains(words), "\(answer.body)")
      }
      #expect(try await ask(example, "POST", "", #"{"title": "\#(String(repeating: "é", count: 512))"}"#).status == 201)
      let foreign = try await Curl.run(
        ["-X", "DELETE", "-H", "Origin: http://other.example", "\(example.url)/api/todos/\(id)/"])
      #expect(foreign.status == 403)

      #expect(try await ask(example, "DELETE", "\(id)/").status == 204)
      #expect(try await ask(example, "DELETE", "\(id)/").status == 404)
      #expect(try await ask(example, "GET", "\(id)/").status == 404)
    }
  }

  @Test(
    "at the same URLs a foreign client gets the state and then each change, of all todos or of one",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func sockets() async throws {
    try await PostgresServer.with { server in
      try await ExampleProcess.with("todos", environment: ["DATABASE_URL": server.url]) { example in
        let id = try await make("first", in: example)
        let all = try await PythonProgram.subscriber.start([example.socketURL("/api/todos/")])
        let one = try await PythonProgram.subscriber.start([example.socketURL("/api/todos/\(id)/")])
        try await all.line(containing: #"message [{"id": "\#(id)""#)
        try await one.line(containing: #"message {"id": "\#(id)""#)

        let other = try await make("second", in: example)
        #expect(try await all.line(containing: "INSERT").contains(#""title": "second""#))
        _ = try await ask(example, "PUT", "\(id)/", #"{"completed": true}"#)
        for client in [all, one] {
          let line = try await client.line()
          #expect(line.contains(#""action": "UPDATE", "completed": true"#) && line.contains(id))
        }
        // SQL from elsewhere counts as well, and what is rolled back does not.
        try await server.psql("BEGIN; DELETE FROM todos; ROLLBACK; UPDATE todos SET title = upper(title)")
        #expect(try await one.line().contains("FIRST"))
        #expect(Set([try await all.line(), try await all.line()].map { $0.contains("SECOND") }) == [true, false])

        _ = try await ask(example, "DELETE", "\(other)/")
        #expect(try await all.line().contains(#""action": "DELETE""#))
        try await server.psql("TRUNCATE todos")
        for client in [all, one] { #expect(try await client.line() == #"message {"action": "TRUNCATE"}"#) }
        // It is told so, and there is nothing to come back to.
        #expect(try await one.line() == "lost 4404")
        let none = try await Curl.run([
          "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
          "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "\(example.url)/api/todos/\(id)/",
        ])
        #expect(none.status == 404)
      }
    }
  }

  @Test(
    "clients that come while several transactions write at a time miss no change, and get none twice",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func joining() async throws {
    try await PostgresServer.with { server in
      try await ExampleProcess.with("todos", environment: ["DATABASE_URL": server.url]) { example in
        let (writers, last) = (4, 500)
        var ids: [String] = []
        for _ in 0..<writers { ids.append(try await make("0", in: example)) }
        let clients = try await ForeignClient.start(
          "todo_joiners", [example.socketURL("/api/todos/"), "100", "3", "\(last)"])
        // Transactions of different lengths, which end in another order than they began in.
        let sessions = try await withThrowingTaskGroup(of: ChildProcess.self) { group in
          for id in ids {
            group.addTask {
              try await server.startPSQL([
                "-c",
                """
                DO $$ BEGIN FOR i IN 1..\(last) LOOP
                  PERFORM pg_current_xact_id();
                  PERFORM pg_sleep(random() * 0.01);
                  UPDATE todos SET title = i WHERE id = '\(id)';
                  COMMIT;
                END LOOP; END $$
                """,
              ])
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        for session in sessions { #expect(try await session.exit() == .code(0)) }
        try await clients.line(containing: "done", within: .seconds(120))
        #expect(clients.transcript().filter { $0.hasPrefix("wrong") } == [])
        // Some of them came in the middle of it.
        let begun = clients.transcript().filter { $0.hasPrefix("joined") }.compactMap {
          Int($0.split(separator: " ")[2])
        }
        #expect(begun.count == 100)
        #expect(begun.contains { $0 > 0 && $0 < writers * last })
      }
    }
  }

  // MARK: The page

  /// What the list shows: a line for each todo, done ones with a cross.
  private let shown =
    "[...document.querySelectorAll('#list li')].map(i => (i.classList.contains('done') ? 'x ' : '- ')"
    + " + i.querySelector('.title').textContent).join('|')"

  private func expect(_ list: String, on browsers: [Browser]) async throws {
    for browser in browsers { try await browser.wait(until: "\(shown) === '\(list)'") }
  }

  private func item(_ number: Int) -> String { "#list li:nth-child(\(number))" }

  @Test(
    "two browsers side by side see each other's changes, and all that a list of todos can do",
    .enabled(if: Tool.chromium.isWanted && Tool.python.isWanted, "Chromium or Python's packages are missing"))
  func page() async throws {
    try await ExampleProcess.with("todos") { example in
      let (here, there) = (try await Browser(width: 900, height: 440), try await Browser(width: 390, height: 800))
      let both = [here, there]
      for browser in both {
        try await browser.open(example.url)
        try await browser.wait(until: "document.querySelector('#state').textContent === 'live'")
        try await browser.wait(until: "document.querySelector('#footer').hidden")
      }
      for title in ["Buy milk", "Write <b>to</b> Ann", "Call the plumber"] {
        try await here.type(title, into: "#title")
        try await here.press("Enter")
        try await here.wait(until: "document.querySelector('#title').value === ''")
      }
      try await expect("- Buy milk|- Write <b>to</b> Ann|- Call the plumber", on: both)
      for browser in both {
        #expect(try await browser.evaluate("document.querySelector('#count').textContent") == "3 items left")
      }

      // Done, and all done, and back.
      try await there.click("\(item(1)) input")
      try await expect("x Buy milk|- Write <b>to</b> Ann|- Call the plumber", on: both)
      try await there.click("\(item(2)) input")
      for browser in both {
        try await browser.wait(until: "document.querySelector('#count').textContent === '1 item left'")
      }
      try await screenshot(of: here, there)
      try await here.click("#all")
      try await expect("x Buy milk|x Write <b>to</b> Ann|x Call the plumber", on: both)
      for browser in both { try await browser.wait(until: "document.querySelector('#all').checked") }
      try await there.click("#all")
      try await expect("- Buy milk|- Write <b>to</b> Ann|- Call the plumber", on: both)

      // A new title: kept by Enter, dropped by Escape; an empty one deletes.
      try await here.doubleClick("\(item(1)) .title")
      try await here.wait(until: "document.activeElement.className === 'edit-field'")
      try await here.type("Buy oat milk", into: ".edit-field")
      try await here.press("Enter")
      try await expect("- Buy oat milk|- Write <b>to</b> Ann|- Call the plumber", on: both)
      try await here.wait(until: "!document.querySelector('.edit-field')")
      try await here.doubleClick("\(item(1)) .title")
      try await here.type("nothing", into: ".edit-field")
      try await here.press("Escape")
      try await here.wait(until: "!document.querySelector('.edit-field')")
      try await expect("- Buy oat milk|- Write <b>to</b> Ann|- Call the plumber", on: both)
      try await there.click("\(item(2)) .edit")
      try await there.type(" ", into: ".edit-field")
      try await there.press("Enter")
      try await expect("- Buy oat milk|- Call the plumber", on: both)

      // Filters are the page's own, in its address.
      try await here.click("\(item(1)) input")
      try await expect("x Buy oat milk|- Call the plumber", on: both)
      try await here.click("nav a[href='#/active']")
      try await expect("- Call the plumber", on: [here])
      try await there.click("nav a[href='#/completed']")
      try await expect("x Buy oat milk", on: [there])
      #expect(try await there.evaluate("document.querySelector('nav a[aria-current]').textContent") == "Completed")
      try await here.click("nav a[href='#/']")
      try await expect("x Buy oat milk|- Call the plumber", on: [here])
      try await there.click("#clear")
      try await expect("- Call the plumber", on: [here])
      try await there.wait(until: "!document.querySelector('#none').hidden")
      #expect(try await there.evaluate("document.activeElement.id") == "title")
      try await here.click("\(item(1)) .delete")
      for browser in both { try await browser.wait(until: "document.querySelector('#footer').hidden") }
      // The button has gone with its todo, and the keyboard is somewhere all the same.
      #expect(try await here.evaluate("document.activeElement.id") == "title")

      // What the server refuses is said, and undone.
      #expect(try await ask(example, "POST", "", #"{"title": "short-lived"}"#).status == 201)
      try await expect("- short-lived", on: [here])
      _ = try await here.evaluate(
        "fetch = async () => new Response('{\"error\": {\"message\": \"No.\"}}', {status: 400})")
      try await here.click("\(item(1)) input")
      try await here.wait(until: "document.querySelector('#error').textContent === 'No.'")
      try await here.wait(until: "!document.querySelector('\(item(1)) input').checked")
      for browser in both {
        #expect(try await browser.problems() == [])
        try await browser.close()
      }
    }
  }

  @Test(
    "the page is right again after the database was away, and after the program was",
    .enabled(if: Tool.chromium.isWanted && Tool.python.isWanted, "Chromium or Python's packages are missing"))
  func comingBack() async throws {
    let port = try ReservedPort.any()
    let url = "http://127.0.0.1:\(port.number)"
    try await PostgresServer.with { server in
      let environment = ["DATABASE_URL": server.url]
      let browser = try await Browser()
      try await ExampleProcess.with("todos", port: port, environment: environment) { _ in
        try await browser.open(url)
        try await server.psql("INSERT INTO todos (title) VALUES ('before')")
        try await expect("- before", on: [browser])
        try await server.kill()
        try await browser.wait(until: "document.querySelector('#state').dataset.state === 'stale'")
        try await server.start()
        // Perhaps before anybody listens again.
        try await server.psql("UPDATE todos SET completed = true")
        try await expect("x before", on: [browser])
        try await server.psql("INSERT INTO todos (title) VALUES ('live again')")
        try await expect("x before|- live again", on: [browser])
        try await browser.wait(until: "document.querySelector('#state').dataset.state === 'live'")
      }
      try await browser.wait(until: "document.querySelector('#state').dataset.state === 'away'")
      try await server.psql("DELETE FROM todos WHERE completed")
      try await ExampleProcess.with("todos", port: port, environment: environment) { _ in
        try await expect("- live again", on: [browser])
        try await browser.wait(until: "document.querySelector('#state').dataset.state === 'live'")
      }
      #expect(try await browser.problems() == [])
      try await browser.close()
    }
  }

  /// Pictures of both windows. The first is that of the gallery.
  private func screenshot(of here: Browser, _ there: Browser) async throws {
    guard let folder = currentEnvironment()["BROADCAST_SCREENSHOTS"] else { return }
    try await here.screenshot(to: "\(folder)/Todos.png")
    try await there.screenshot(to: "\(folder)/Todos-phone.png")
  }
}
