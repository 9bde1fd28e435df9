//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A client's part of the opening handshake (RFC 6455 section 4.1).
package struct WebSocketClientHandshake: Sendable {
  /// The request to send.
  package let request: HTTPRequest

  private let key: String
  private let subprotocols: [String]

  /// - Parameters:
  ///   - host: Host and port for the `Host` field, the port where it isn't the scheme's own.
  ///   - target: Path and query.
  ///   - headers: Further fields, such as `Authorization`.
  package init(host: String, target: String, subprotocols: [String] = [], headers: HTTPHeaders = [:]) {
    let nonce = (0..<16).map { _ in UInt8.random(in: 0...255) }
    self.init(host: host, target: target, subprotocols: subprotocols, headers: headers, nonce: nonce)
  }

  /// - Parameter generator: Makes the key, which shows that the answer belongs to this request; it protects nothing.
  package init(
    host: String, target: String, subprotocols: [String] = [], headers: HTTPHeaders = [:],
    using generator: inout some RandomNumberGenerator
  ) {
    let nonce = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    self.init(host: host, target: target, subprotocols: subprotocols, headers: headers, nonce: nonce)
  }

  private init(host: String, target: String, subprotocols: [String], headers: HTTPHeaders, nonce: [UInt8]) {
    key = Base64.encode(nonce)
    self.subprotocols = subprotocols
    var fields: HTTPHeaders = [
      "Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    ]
    if !subprotocols.isEmpty { fields.append("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")) }
    for (name, value) in headers { fields.append(name, value) }
    request = HTTPRequest(target: target, headers: fields)
  }

  /// Looks at the server's response.
  ///
  /// - Returns: The subprotocol that the server has chosen, or nil.
  /// - Throws: ``HTTPError/Code/badHandshake`` unless frames may follow.
  @discardableResult
  package func check(_ response: HTTPResponse) throws(HTTPError) -> String? {
    let headers = response.headers
    guard response.status == .switchingProtocols else {
      throw HTTPError(.badHandshake, "The server answered \(response.status) instead of opening a WebSocket.")
    }
    guard headers.hasToken("websocket", in: "Upgrade"), headers.hasToken("upgrade", in: "Connection") else {
      throw HTTPError(.badHandshake, "The server's 101 goes on with something that isn't a WebSocket.")
    }
    let accepts = headers.values(of: "Sec-WebSocket-Accept")
    guard accepts.count == 1, accepts[0] == WebSocketHandshake.acceptance(of: key) else {
      throw HTTPError(.badHandshake, "The server's Sec-WebSocket-Accept doesn't belong to this request's key.")
    }
    guard headers["Sec-WebSocket-Extensions"] == nil else {
      throw HTTPError(.badHandshake, "The server speaks a WebSocket extension that it wasn't offered.")
    }
    let chosen = headers.values(of: "Sec-WebSocket-Protocol")
    guard chosen.count <= 1, chosen.allSatisfy(subprotocols.contains) else {
      throw HTTPError(.badHandshake, "The server chose a subprotocol that it wasn't offered.")
    }
    return chosen.first
  }
}
