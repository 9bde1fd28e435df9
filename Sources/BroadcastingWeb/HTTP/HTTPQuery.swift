//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The pairs of a query such as `?channel=a&channel=b`, decoded and in their order.
///
/// The form is `application/x-www-form-urlencoded` of the WHATWG URL standard: pairs are divided by `&`, a name ends at
/// the first `=`, `+` is a space and `%2B` a plus. A pair without `=` has an empty value; an empty pair is none. Names
/// are compared as bytes, not as `String` does, which takes different spellings of an accented letter for one.
public struct HTTPQuery: Sendable, RandomAccessCollection {
  public typealias Element = (name: String, value: String)

  private let items: [Element]

  package init(encoded query: Substring) throws(HTTPError) {
    var items: [Element] = []
    if !query.isEmpty {
      for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
        let mark = pair.firstIndex(of: UInt8(ascii: "="))
        let name = try PercentEncoding.decode(pair[..<(mark ?? pair.endIndex)], plusIsSpace: true)
        let value = try mark.map { (mark) throws(HTTPError) in
          try PercentEncoding.decode(pair[pair.index(after: mark)...], plusIsSpace: true)
        }
        items.append((name, value ?? ""))
      }
    }
    self.items = items
  }

  public var startIndex: Int { items.startIndex }
  public var endIndex: Int { items.endIndex }

  public subscript(position: Int) -> Element { items[position] }

  /// The value of the first pair of this name, or nil.
  public subscript(name: String) -> String? {
    items.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }

  /// The values of all pairs of this name, in their order.
  public func values(of name: String) -> [String] {
    items.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
  }
}
