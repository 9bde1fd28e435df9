//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Database

/// Customers who order, change their minds, and go. They only write to the table, as any program could.
struct OrderGenerator {
  private static let dishes = [
    ("French fries", 3.20), ("Hamburger", 8.50), ("Nachos", 6.75), ("Soda", 2.40), ("Milkshake", 4.90),
    ("Burrito", 9.30),
    ("Hot dog", 4.25), ("Salad", 7.60),
  ]
  /// More are served.
  private static let mostOrders = 12

  private let database: Database
  private let pause: Duration

  /// - Parameter pause: between two orders. Zero is for none at all.
  init(_ database: Database, pause: Duration) {
    self.database = database
    self.pause = pause
  }

  /// Until its task is cancelled. While the database is away nobody orders.
  func run() async throws {
    var count = 0
    while !Task.isCancelled {
      try await Task.sleep(for: pause > .zero ? pause : .seconds(86_400))
      if pause == .zero { continue }
      do throws(DatabaseError) { try await step(count) } catch { continue }
      count += 1
    }
  }

  private func step(_ count: Int) async throws(DatabaseError) {
    let (dish, price) = Self.dishes.randomElement() ?? Self.dishes[0]
    let quantity = Int.random(in: 1...9)
    try await database.execute(
      "INSERT INTO orders (name, quantity, price) VALUES ($1, $2, round($3::numeric * $2::integer, 2))",
      [Parameter(dish), Parameter(quantity), Parameter(price)])
    if count % 3 == 2 {
      // The dish's price stays what it was.
      try await database.execute(
        """
        UPDATE orders SET quantity = quantity + 1, price = round(price / quantity * (quantity + 1), 2)
        WHERE id = (SELECT id FROM orders ORDER BY random() LIMIT 1)
        """)
    }
    try await database.execute(
      "DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id DESC OFFSET $1)", [Parameter(Self.mostOrders)])
  }
}
