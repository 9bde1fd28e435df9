//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// A target to which the members of `args` are added, as parameters of its query.
struct QueryText {
  private(set) var target: [UInt8]
  private var hasQuery: Bool
  private var names: Set<[UInt8]> = []

  init(_ target: [UInt8]) {
    self.target = target
    hasQuery = target.contains(UInt8(ascii: "?"))
  }

  /// Adds the members of an object whose JSON was looked at already.
  ///
  /// - Throws: ``RequestError`` with 400 for a value that a query has no text for, and for a name that stands there twice.
  mutating func append(_ object: UnsafeBufferPointer<UInt8>) throws(RequestError) {
    var fault: RequestError?
    var scanner = JSONScanner(object)
    do throws(JSONError) {
      try scanner.readObject { (scanner, name, value) throws(JSONError) in
        if fault != nil { return }
        let name = scanner.text(of: name)
        do throws(RequestError) {
          guard names.insert(Array(name.utf8)).inserted else {
            throw RequestError(
              .badRequest, "duplicate_field",
              "\"\(name.prefix(64))\" stands twice in \"args\". Several values of one name are an array.")
          }
          try append(name, UnsafeBufferPointer(rebasing: object[value]))
        } catch {
          fault = error
        }
      }
    } catch {
      fault = RequestError(.badRequest, "invalid_json", "\"args\" is not JSON: \(error).")
    }
    if let fault { throw fault }
  }

  private mutating func append(_ name: String, _ value: UnsafeBufferPointer<UInt8>) throws(RequestError) {
    // What a program leaves empty is often written as null.
    if value.first == UInt8(ascii: "n") { return }
    guard value.first == .openBracket else { return try appendScalar(name, value) }
    var fault: RequestError?
    var scanner = JSONScanner(value)
    do throws(JSONError) {
      try scanner.readArray { element throws(JSONError) in
        if fault != nil { return }
        do throws(RequestError) {
          try appendScalar(name, UnsafeBufferPointer(rebasing: value[element]))
        } catch {
          fault = error
        }
      }
    } catch {
      fault = RequestError(.badRequest, "invalid_json", "\"args\" is not JSON: \(error).")
    }
    if let fault { throw fault }
  }

  /// Numbers go as they were written, so that no digit is lost.
  private mutating func appendScalar(_ name: String, _ value: UnsafeBufferPointer<UInt8>) throws(RequestError) {
    switch value.first {
    case .quote: appendPair(name, JSONScanner.text(ofString: value))
    case .openBrace, .openBracket, UInt8(ascii: "n"), nil:
      throw RequestError(
        .badRequest, "wrong_type",
        """
        \"\(name.prefix(64))\" in \"args\" must be a string, a number, true, false, or an array of those. What is more \
        belongs into \"data\".
        """)
    default: appendPair(name, String(decoding: value, as: UTF8.self))
    }
  }

  private mutating func appendPair(_ name: String, _ value: String) {
    target.append(hasQuery ? UInt8(ascii: "&") : UInt8(ascii: "?"))
    hasQuery = true
    target.append(contentsOf: PercentEncoding.encode(name).utf8)
    target.append(UInt8(ascii: "="))
    target.append(contentsOf: PercentEncoding.encode(value).utf8)
  }
}
