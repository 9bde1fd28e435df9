//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "The example live orders", .enabled(if: Tool.postgres.isWanted && Tool.psql.isWanted, "PostgreSQL is missing"),
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"), .timeLimit(.minutes(20)))
struct LiveOrdersTests {
  private static let subscribe = #"{"method": "subscribe", "channel": "orders"}"#

  /// The example on a database of the test's, where nobody orders but the test.
  private func withOrders(_ body: (ExampleProcess, PostgresServer) async throws -> Void) async throws {
    try await PostgresServer.with { server in
      try await ExampleProcess.with("orders", environment: ["DATABASE_URL": server.url, "GENERATE": "0"]) { example in
        try await body(example, server)
      }
    }
  }

  private func client(
    _ example: ExampleProcess, origin: String = "", _ messages: [String]
  ) async throws -> ChildProcess {
    let client = try await ForeignClient.start(
      "live_orders", [example.socketURL("/order_events"), origin] + messages)
    try await client.line(containing: "connected")
    return client
  }

  /// Whether the table has a line like this.
  private func row(_ text: String) -> String {
    "[...document.querySelectorAll('#orders tr[data-id]')].some(r => [...r.cells].map(c => c.textContent).join('|') === '\(text)')"
  }

  // MARK: The page

  @Test(
    "the page shows what SQL does to the table, and is right again after the database was away",
    .enabled(if: Tool.chromium.isWanted, "Chromium is missing"))
  func page() async throws {
    try await withOrders { example, server in
      try await server.psql("INSERT INTO orders (id, name, quantity, price) VALUES (901, 'there before', 1, 1.50)")
      let browser = try await Browser()
      try await browser.open(example.url)
      try await browser.wait(until: row("901|there before|1|1.50"))
      try await browser.wait(until: "document.querySelector('#state').textContent === 'live'")

      try await server.psql(
        "INSERT INTO orders (id, name, quantity, price) VALUES (902, '<b>Nachos</b>', 2, 12345678901.23456789012345)"
      )
      try await browser.wait(until: row("902|<b>Nachos</b>|2|12345678901.23456789012345"))
      // A long price takes no other column's place.
      let phone = try await Browser(width: 360, height: 640)
      try await phone.open(example.url)
      try await phone.wait(until: row("902|<b>Nachos</b>|2|12345678901.23456789012345"))
      #expect(try await phone.evaluate("document.documentElement.scrollWidth <= 360") == "true")
      #expect(
        try await phone.evaluate("document.querySelector('#orders').rows[0].cells[1].clientWidth >= 100") == "true")
      try await phone.close()
      try await server.psql("UPDATE orders SET quantity = 3, price = 9.90 WHERE id = 902")
      try await browser.wait(until: row("902|<b>Nachos</b>|3|9.90"))
      try await server.psql(
        "BEGIN; INSERT INTO orders (id, name, quantity, price) VALUES (903, 'never', 1, 1); ROLLBACK")
      try await server.psql("DELETE FROM orders WHERE id = 901")
      try await browser.wait(until: "!(\(row("901|there before|1|1.50")))")
      #expect(try await browser.evaluate("document.body.textContent.includes('never')") == "false")
      #expect(
        try await browser.evaluate("document.querySelector('#log').textContent.includes('Changed order 902: 3 ×')")
          == "true")
      try await server.psql("UPDATE orders SET id = 905 WHERE id = 902")
      try await browser.wait(until: row("905|<b>Nachos</b>|3|9.90"))
      #expect(try await browser.evaluate("document.querySelector('#count').textContent") == "1")

      try await server.kill()
      try await browser.wait(until: "document.querySelector('#state').dataset.state === 'away'")
      try await server.start()
      // Told to nobody, or to whoever is back first.
      try await server.psql(
        "DELETE FROM orders; INSERT INTO orders (id, name, quantity, price) VALUES (904, 'meanwhile', 1, 4)")
      try await browser.wait(until: row("904|meanwhile|1|4"))
      try await browser.wait(until: "document.querySelector('#count').textContent === '1'")
      try await server.psql("TRUNCATE orders")
      try await browser.wait(until: "document.querySelector('#count').textContent === '0'")
      try await browser.wait(until: "document.querySelector('#state').textContent === 'live'")
      #expect(try await browser.problems() == [])
      try await browser.close()
    }
  }

  @Test(
    "made as a user does it shows orders that come by themselves, on a phone too",
    .enabled(if: Tool.chromium.isWanted, "Chromium is missing"))
  func fromNothing() async throws {
    try await ExampleProcess.with("orders", environment: ["GENERATE": "1"]) { example in
      let browser = try await Browser(width: 900, height: 640)
      try await browser.open(example.url)
      try await browser.wait(until: "document.querySelectorAll('#log li').length > 7")
      try await browser.wait(until: "document.querySelector('#log').textContent.includes('Changed order')")
      if let folder = currentEnvironment()["BROADCAST_SCREENSHOTS"] {
        try await browser.screenshot(to: "\(folder)/LiveOrders.png")
      }
      try await browser.close()
      let phone = try await Browser(width: 360, height: 640)
      try await phone.open(example.url)
      try await phone.wait(until: "document.querySelectorAll('#orders tr').length > 3")
      #expect(try await phone.evaluate("document.documentElement.scrollWidth <= innerWidth") == "true")
      #expect(try await phone.problems() == [])
      try await phone.close()
    }
  }

  @Test(
    "a page of the protocol that is opened as a file shows them too",
    .enabled(if: Tool.chromium.isWanted, "Chromium is missing"))
  func file() async throws {
    try await withOrders { example, server in
      let folder = try TemporaryFolder()
      let file = try folder.write(
        """
        <!doctype html><meta charset="utf-8"><title>Orders</title><ul id="list"></ul><script>
        const orders = new WebSocket("\(example.socketURL("/order_events"))");
        orders.onopen = () => { orders.send('\(Self.subscribe)'); document.title = "open"; };
        orders.onmessage = event => {
          const { message, data } = JSON.parse(event.data), item = document.createElement("li");
          item.textContent = message + " " + data.name + " Price " + data.price + " quantity " + data.quantity;
          document.getElementById("list").append(item);
        };
        </script>
        """, to: "page.html")
      let browser = try await Browser()
      try await browser.open("file://\(file)")
      try await browser.wait(until: "document.title === 'open'")
      try await tell(server) { try await browser.evaluate("document.querySelectorAll('li').length") != "0" }
      try await server.psql("UPDATE orders SET price = 7.25, quantity = 2, name = 'Soda'")
      try await browser.wait(
        until: "document.querySelector('#list').textContent.includes('Order update Soda Price 7.25 quantity 2')")
      #expect(try await browser.problems() == [])
      try await browser.close()
    }
  }

  // MARK: The protocol

  /// The protocol has no answer to a subscription, so this orders until one is told.
  private func tell(_ server: PostgresServer, until isTold: () async throws -> Bool) async throws {
    try await settle {
      try await server.psql(
        "DELETE FROM orders; INSERT INTO orders (id, name, quantity, price) VALUES (1, 'Nachos', 1, 1.50)")
      return try await isTold()
    }
  }

  @Test("a foreign client of another origin gets each change with all digits")
  func protocolOfOthers() async throws {
    try await withOrders { example, server in
      let client = try await client(example, origin: "https://elsewhere.example", [Self.subscribe])
      try await tell(server) { client.transcript().contains { $0.contains("New order") } }
      try await server.psql("UPDATE orders SET price = 1234567890.12345678901234567890, name = 'Größe \"1\"'")
      try await client.line(
        containing:
          #"frame {"data": {"id": 1, "name": "Größe \"1\"", "price": "1234567890.12345678901234567890", "quantity": 1}, "message": "Order update"}"#
      )
      try await server.psql(
        "BEGIN; INSERT INTO orders VALUES (2, 'never', 1, 1); ROLLBACK; DELETE FROM orders")
      try await client.line(containing: "Order deleted")
      #expect(!client.transcript().contains { $0.contains("never") || $0.contains("error") })
      let other = try await self.client(example, [#"{"method": "subscribe", "channel": "orders", "state": true}"#])
      try await other.line(containing: #"frame {"data": [], "message": "Orders"}"#)
    }
  }

  @Test("what is asked wrongly is told, and the socket is closed")
  func wrongRequests() async throws {
    try await withOrders { example, _ in
      for (messages, code) in [
        (["hello"], "malformed"), ([#"{"method": "subscribe"}"#], "malformed"),
        ([#"{"method": "listen", "channel": "orders"}"#], "unknown_method"),
        ([#"{"method": "subscribe", "channel": "pg_shadow\"; --"}"#], "unknown_channel"),
        ([Self.subscribe, Self.subscribe], "surplus"),
      ] {
        let client = try await client(example, messages)
        try await client.line(containing: "\"code\": \"\(code)\"")
        try await client.line(containing: "closed 1008")
      }
      // Ten seconds are the limit that is tested.
      let silent = try await client(example, [])
      try await silent.line(containing: "closed 1008 Nothing was asked for within 10 s.")
      // Nobody may publish.
      let answer = try await Curl.push(#"{"channel": "orders", "message": "x"}"#, to: example.url)
      #expect(answer.status == 404)
    }
  }
}
