//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// A frame of a request socket: `{"method": …, "url": …, "args": …, "data": …, "event_name": …}`. It is cut into its members, of
/// which `data` goes on as it came.
struct RequestFrame {
  static let example = "One is {\"method\": \"GET\", \"url\": \"/\", \"event_name\": \"any\"}."

  private enum Key: String, CaseIterable {
    case method, url, args, data
    case eventName = "event_name"
  }

  private let text: [UInt8]
  private var members: [Key: Range<Int>] = [:]

  /// What is wrong with the frame as a whole, though its name may be known.
  private(set) var fault: RequestError?

  /// The JSON string of `event_name`, in its quotes.
  private(set) var eventName: ArraySlice<UInt8>?

  /// - Throws: ``RequestError`` with 400 for what is no JSON object.
  init(_ text: [UInt8]) throws(RequestError) {
    self.text = text
    do throws(JSONError) {
      try text.withUnsafeBufferPointer { bytes throws(JSONError) in try read(bytes) }
    } catch {
      let code = error.code == .nestedTooDeeply ? "nested_too_deeply" : "invalid_json"
      throw RequestError(.badRequest, code, "The frame is not JSON that can be read: \(error). \(Self.example)")
    }
    guard let name = members[.eventName] else { return }
    if text[name.lowerBound] == .quote {
      eventName = text[name]
    } else {
      fault = fault ?? wrongType(.eventName, "a string")
    }
  }

  private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    var scanner = JSONScanner(bytes)
    try scanner.refuseByteOrderMark()
    scanner.skipWhitespace()
    guard scanner.next == .openBrace else {
      try scanner.skipValue()
      try scanner.finish()
      fault = RequestError(.badRequest, "not_an_object", "A request is a JSON object. \(Self.example)")
      return
    }
    var isNameClear = true
    try scanner.readObject { (scanner, name, value) throws(JSONError) in
      let name = scanner.text(of: name)
      guard let key = Key(rawValue: name) else {
        let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
        fault =
          fault
          ?? RequestError(
            .badRequest, "unknown_field", "The frame has the unknown \"\(name.prefix(64))\". Known are: \(known).")
        return
      }
      guard members[key] == nil else {
        fault = fault ?? RequestError(.badRequest, "duplicate_field", "\"\(key.rawValue)\" stands there twice.")
        if key == .eventName { isNameClear = false }
        return
      }
      // What a program leaves empty is often written so.
      if bytes[value.lowerBound] != UInt8(ascii: "n") { members[key] = value }
    }
    try scanner.finish()
    if !isNameClear { members[.eventName] = nil }
  }

  // MARK: The request

  func method() throws(RequestError) -> HTTPMethod {
    let name = try string(.method)
    guard !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken), name == name.uppercased() else {
      throw RequestError(
        .badRequest, "unknown_method",
        "\"\(name.prefix(64))\" is no method. Methods are written in capitals, such as GET.")
    }
    return HTTPMethod(rawValue: name)
  }

  /// The path with its query, as a request line would have it.
  ///
  /// - Throws: ``RequestError`` with 400, or with 414 where it is longer than `limit` in bytes.
  func target(limit: Int) throws(RequestError) -> String {
    let url = try string(.url)
    guard url.utf8.first == UInt8(ascii: "/") else {
      throw RequestError(
        .badRequest, "invalid_url",
        "\"url\" is \"\(url.prefix(64))\". It must be a path such as /user/list, without scheme and host.")
    }
    guard !url.utf8.contains(UInt8(ascii: "#")) else {
      throw RequestError(
        .badRequest, "invalid_url", "\"url\" has a fragment, which no server gets. Leave out what begins at the #.")
    }
    var target: [UInt8] = []
    for byte in url.utf8 {
      if ASCII.isTarget(byte) { target.append(byte) } else { PercentEncoding.append(encoded: byte, to: &target) }
    }
    if let args = members[.args] {
      guard text[args.lowerBound] == .openBrace else { throw wrongType(.args, "an object") }
      var query = QueryText(target)
      try text.withUnsafeBufferPointer { bytes throws(RequestError) in
        try query.append(UnsafeBufferPointer(rebasing: bytes[args]))
      }
      target = query.target
    }
    guard target.count <= limit else {
      throw RequestError(
        .uriTooLong, "target_too_long",
        "\"url\" and \"args\" together have \(target.count) bytes; \(limit) are allowed. Put more into \"data\".")
    }
    return String(decoding: target, as: UTF8.self)
  }

  /// Nil where there is no `data`.
  var body: [UInt8]? { members[.data].map { Array(text[$0]) } }

  private func string(_ key: Key) throws(RequestError) -> String {
    guard let range = members[key] else {
      let missing = [Key.method, .url].filter { members[$0] == nil }.map { "\"\($0.rawValue)\"" }
      throw RequestError(
        .badRequest, "missing_field",
        "\(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") missing. \(Self.example)")
    }
    guard text[range.lowerBound] == .quote else { throw wrongType(key, "a string") }
    return text.withUnsafeBufferPointer { JSONScanner.text(ofString: UnsafeBufferPointer(rebasing: $0[range])) }
  }

  private func wrongType(_ key: Key, _ expected: String) -> RequestError {
    RequestError(.badRequest, "wrong_type", "\"\(key.rawValue)\" must be \(expected).")
  }
}
