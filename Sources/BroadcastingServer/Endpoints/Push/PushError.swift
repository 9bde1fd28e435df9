//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// Why the body of a push was refused. All of them are the client's to correct: status 400.
package struct PushError: Error, Hashable, Sendable {
  package struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Name: String {
      case invalidJSON = "invalid_json"
      case nestedTooDeeply = "nested_too_deeply"
      case notAnObject = "not_an_object"
      case unknownField = "unknown_field"
      case duplicateField = "duplicate_field"
      case missingField = "missing_field"
      case wrongType = "wrong_type"
    }
    private let name: Name

    /// The body is not JSON, not UTF-8, or names half of a surrogate pair.
    package static let invalidJSON = Code(name: .invalidJSON)
    /// More arrays and objects are open at once than `JSONScanner.maxNesting`.
    package static let nestedTooDeeply = Code(name: .nestedTooDeeply)
    /// The body is JSON, but not an object.
    package static let notAnObject = Code(name: .notAnObject)
    /// A field that is neither `channel` nor `message`: a typing error must not publish to the default channel.
    package static let unknownField = Code(name: .unknownField)
    /// `channel` or `message` stands there twice.
    package static let duplicateField = Code(name: .duplicateField)
    /// There is no `message`.
    package static let missingField = Code(name: .missingField)
    /// `channel` is no string.
    package static let wrongType = Code(name: .wrongType)

    /// The code as clients see it, such as `unknown_field`.
    package var description: String { name.rawValue }
  }

  package let code: Code
  /// What was wrong, where, and what is expected.
  package let message: String
  /// The byte of the body, counted from 0, where it went wrong.
  package let offset: Int

  init(_ code: Code, _ reason: String, at offset: Int) {
    self.code = code
    self.message = "\(reason) (at byte \(offset))"
    self.offset = offset
  }

  init(_ error: JSONError) {
    self.init(error.code == .nestedTooDeeply ? .nestedTooDeeply : .invalidJSON, error.reason, at: error.offset)
  }
}
