//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The header fields of a message, in their order; names are compared without regard to ASCII case (RFC 9110 section 5).
///
/// A value is bytes on the wire. Those which aren't UTF-8 come out of the `String` members with U+FFFD in their place.
/// Names and values are checked when the message is sent, not when they are put in: see ``HTTPError/Code/unsendable``.
public struct HTTPHeaders: Sendable {
  /// Where one field lies in the block.
  package struct Field: Sendable {
    package var name: Range<UInt32>
    package var value: Range<UInt32>

    package init(name: Range<UInt32>, value: Range<UInt32>) {
      self.name = name
      self.value = value
    }
  }

  /// All names and values, among whatever else stood between them: for a received message this is its head as it came,
  /// so that twenty fields cost two allocations and not forty.
  package private(set) var block: [UInt8]

  package private(set) var fields: [Field]

  public init() {
    block = []
    fields = []
  }

  /// Headers whose names and values lie in a head that was received.
  package init(block: [UInt8], fields: [Field]) {
    self.block = block
    self.fields = fields
  }

  /// The number of fields; a name that stands there twice counts twice.
  public var count: Int { fields.count }

  public var isEmpty: Bool { fields.isEmpty }

  /// The value of the first field of this name, or nil. Setting replaces every field of the name by one, or by none.
  public subscript(name: String) -> String? {
    get {
      for field in fields where matches(field, name) {
        return text(field.value)
      }
      return nil
    }
    set {
      fields = fields.filter { !matches($0, name) }
      if let newValue { append(name, newValue) }
    }
  }

  /// The values of all fields of this name, in their order.
  public func values(of name: String) -> [String] {
    fields.lazy.filter { matches($0, name) }.map { text($0.value) }
  }

  /// Adds a field behind the others, also where the name is there already.
  public mutating func append(_ name: String, _ value: String) {
    let start = UInt32(block.count)
    block.append(contentsOf: name.utf8)
    let middle = UInt32(block.count)
    block.append(contentsOf: value.utf8)
    fields.append(Field(name: start..<middle, value: middle..<UInt32(block.count)))
  }

  private func text(_ range: Range<UInt32>) -> String {
    String(decoding: bytes(range), as: UTF8.self)
  }

  package func bytes(_ range: Range<UInt32>) -> ArraySlice<UInt8> {
    block[Int(range.lowerBound)..<Int(range.upperBound)]
  }

  private func matches(_ field: Field, _ name: String) -> Bool {
    let other = name.utf8
    guard field.name.count == other.count else { return false }
    var index = Int(field.name.lowerBound)
    for byte in other {
      guard ASCII.lowercased(block[index]) == ASCII.lowercased(byte) else { return false }
      index += 1
    }
    return true
  }
}

extension HTTPHeaders {
  /// Whether the comma-separated lists of all fields of this name have this token, without regard to ASCII case
  /// (RFC 9110 section 5.6.1), as in `Connection: keep-alive, Upgrade`.
  package func hasToken(_ token: String, in name: String) -> Bool {
    tokens(of: name).contains { element in
      element.count == token.utf8.count
        && zip(element, token.utf8).allSatisfy { ASCII.lowercased($0) == ASCII.lowercased($1) }
    }
  }

  /// The elements of the comma-separated lists of all fields of this name, without the white space round them and
  /// without empty ones.
  package func tokens(of name: String) -> [ArraySlice<UInt8>] {
    fields.lazy.filter { matches($0, name) }.flatMap { field in
      bytes(field.value).split(separator: UInt8(ascii: ",")).map(ASCII.trimmed).filter { !$0.isEmpty }
    }
  }
}

extension HTTPHeaders: Sequence {
  public typealias Element = (name: String, value: String)

  /// Goes over the fields in their order, with the names as they were written.
  public struct Iterator: IteratorProtocol {
    private let headers: HTTPHeaders
    private var index = 0

    fileprivate init(_ headers: HTTPHeaders) {
      self.headers = headers
    }

    public mutating func next() -> Element? {
      guard index < headers.fields.count else { return nil }
      defer { index += 1 }
      let field = headers.fields[index]
      return (headers.text(field.name), headers.text(field.value))
    }
  }

  public func makeIterator() -> Iterator { Iterator(self) }

  public var underestimatedCount: Int { count }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
  /// Headers of the literal's pairs in their order; a name may stand there twice.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init()
    for (name, value) in elements { append(name, value) }
  }
}

extension HTTPHeaders: Equatable {
  /// The same values under the same names (without regard to ASCII case) in the same order.
  public static func == (one: HTTPHeaders, other: HTTPHeaders) -> Bool {
    one.count == other.count
      && zip(one.fields, other.fields).allSatisfy { mine, theirs in
        one.bytes(mine.value) == other.bytes(theirs.value)
          && one.bytes(mine.name).elementsEqual(other.bytes(theirs.name)) {
            ASCII.lowercased($0) == ASCII.lowercased($1)
          }
      }
  }
}

extension HTTPHeaders: CustomStringConvertible {
  /// The header lines, one a line.
  public var description: String {
    map { "\($0.name): \($0.value)" }.joined(separator: "\n")
  }
}
