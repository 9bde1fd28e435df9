//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// A user as clients see it: without the password.
struct User: Codable, Sendable {
  var id: Int
  var name: String
  var fullname: String
  var addresses: [Address]
}

struct Address: Codable, Sendable {
  enum CodingKeys: String, CodingKey {
    case id
    case email = "email_address"
  }

  var id: Int
  var email: String
}

/// What a client may say of a user. What is left out stays as it is, or as the database has it for a new one.
struct UserFields: Input {
  enum CodingKeys: String, CodingKey, CaseIterable { case name, fullname, password, addresses }

  private static let maximumAddresses = 100

  var name: String?
  var fullname: String?
  var password: String?
  /// Those that the user has afterwards. They must be there.
  var addresses: [Checked<AddressReference>]?

  /// The ids of `addresses`.
  var addressIDs: [Int]? { addresses.map { $0.map(\.value.id) } }

  var isEmpty: Bool { name == nil && fullname == nil && password == nil && addresses == nil }

  /// - Throws: ``RequestError`` with 422, which names the field and the limit.
  func validate() throws(RequestError) {
    if let name {
      try Rules.check(name, "name", length: 1...50)
      guard !name.utf8.contains(UInt8(ascii: "@")) else {
        throw .invalid("name", "must not have an @, which is for addresses.")
      }
    }
    if let fullname { try Rules.check(fullname, "fullname", length: 1...50) }
    if let password { try Rules.check(password, "password", length: 1...512) }
    if let ids = addressIDs {
      guard ids.count <= Self.maximumAddresses else {
        throw .invalid("addresses", "has \(ids.count) addresses; \(Self.maximumAddresses) are allowed.")
      }
      guard Set(ids).count == ids.count else { throw .invalid("addresses", "names an address twice.") }
    }
  }
}

/// An address that is there already.
struct AddressReference: Input {
  enum CodingKeys: String, CodingKey, CaseIterable { case id }

  var id: Int
}

struct AddressFields: Input {
  enum CodingKeys: String, CodingKey, CaseIterable { case email = "email_address" }

  var email: String

  func validate() throws(RequestError) {
    // A mailbox of SMTP has at most 254 bytes (RFC 5321, section 4.5.3.1.3, without the brackets).
    try Rules.check(email, "email_address", length: 3...254)
    let parts = email.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !email.contains(" ") else {
      throw .invalid("email_address", "must be like name@example.org.")
    }
  }
}

/// What all texts have to keep to.
private enum Rules {
  /// Counts as the database does, by code points.
  static func check(_ text: String, _ field: String, length: ClosedRange<Int>) throws(RequestError) {
    let count = text.unicodeScalars.count
    guard length.contains(count) else {
      throw .invalid(field, "has \(count) characters; \(length.lowerBound) to \(length.upperBound) are allowed.")
    }
    // The database has no text with a zero in it, and pages no use for the others.
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw .invalid(field, "has a control character.")
    }
  }
}

extension RequestError {
  static func invalid(_ field: String, _ fault: String) -> RequestError {
    RequestError(.unprocessableContent, "invalid_field", "\"\(field)\" \(fault)")
  }
}
