//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials

/// A row of the table.
struct Order: Decodable, Sendable {
  var id: Int
  var name: String
  var quantity: Int
  /// A `numeric` as PostgreSQL writes it: no digit is lost on the way.
  var price: String

  /// As `row_to_json` has it: the price is a JSON number.
  func json() throws -> String {
    let name = String(decoding: try JSONEncoder().encode(name), as: UTF8.self)
    return #"{"id":\#(id),"name":\#(name),"quantity":\#(quantity),"price":\#(price)}"#
  }
}
