//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a text is not JSON, or not JSON that the scanner takes.
package struct JSONError: Error, Hashable, Sendable {
  package struct Code: Hashable, Sendable {
    private enum Name { case malformed, nestedTooDeeply }
    private let name: Name

    /// The text breaks the grammar of RFC 8259, is not UTF-8 or names half of a surrogate pair.
    package static let malformed = Code(name: .malformed)
    /// More arrays and objects are open at once than `JSONScanner.maxNesting`.
    package static let nestedTooDeeply = Code(name: .nestedTooDeeply)
  }

  package let code: Code
  /// What was wrong, without the place.
  package let reason: String
  /// The byte of the text, counted from 0, where it went wrong.
  package let offset: Int

  package init(_ code: Code, _ reason: String, at offset: Int) {
    self.code = code
    self.reason = reason
    self.offset = offset
  }
}

extension JSONError: CustomStringConvertible {
  package var description: String { "\(reason) at byte \(offset)" }
}
