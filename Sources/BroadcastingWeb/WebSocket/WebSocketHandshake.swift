//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSL

/// The opening handshake (RFC 6455 section 4). Extensions are never negotiated.
package enum WebSocketHandshake {
  /// A server's answer to a request.
  package enum Answer: Sendable {
    /// Send the response, and go on with frames behind it.
    case accept(HTTPResponse, subprotocol: String?)

    /// Send the response; the connection stays one of HTTP.
    case refuse(HTTPResponse)
  }

  /// Has OpenSSL load what the handshake needs, some 2 MB and a millisecond, which the first client would wait for.
  package static func prepare() { _ = acceptance(of: "") }

  /// Looks at a request as a server (section 4.2).
  ///
  /// - Parameter subprotocols: Those that the server speaks, the best first; the first one that the client offers too is
  ///   chosen. Without a common one the handshake goes on with none, and the client decides.
  package static func answer(_ request: HTTPRequest, subprotocols: [String] = []) -> Answer {
    let headers = request.headers
    guard request.method == .get, request.version == .http1_1 else {
      return refuse(.badRequest, "A WebSocket begins with a GET of HTTP/1.1.")
    }
    guard headers.hasToken("websocket", in: "Upgrade") else {
      return refuse(.upgradeRequired, "This is a WebSocket: connect with ws:// and not with http://.")
    }
    guard headers.hasToken("upgrade", in: "Connection") else {
      return refuse(.badRequest, "Connection: Upgrade is missing. A proxy in front must pass it on.")
    }
    guard headers.values(of: "Sec-WebSocket-Version") == ["13"] else {
      return refuse(.upgradeRequired, "The only version of WebSocket that is spoken is 13.")
    }
    let keys = headers.values(of: "Sec-WebSocket-Key")
    guard keys.count == 1, isKey(keys[0]), let accept = acceptance(of: keys[0]) else {
      return refuse(.badRequest, "Sec-WebSocket-Key must be there once, as the base64 of 16 bytes.")
    }
    var response = HTTPResponse(
      status: .switchingProtocols,
      headers: ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept])
    let offered = headers.tokens(of: "Sec-WebSocket-Protocol").map { String(decoding: $0, as: UTF8.self) }
    let chosen = subprotocols.first(where: offered.contains)
    if let chosen { response.headers.append("Sec-WebSocket-Protocol", chosen) }
    return .accept(response, subprotocol: chosen)
  }

  /// A response that says how to do it: with `Upgrade` and the version (RFC 9110 section 15.5.22, RFC 6455
  /// section 4.4) where that was the fault.
  private static func refuse(_ status: HTTPStatus, _ message: String) -> Answer {
    var headers: HTTPHeaders = [:]
    if status == .upgradeRequired {
      headers = ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"]
    }
    return .refuse(.text(message + "\n", status: status, headers: headers))
  }

  /// Whether this is the base64 of 16 bytes.
  static func isKey(_ text: String) -> Bool {
    let key = Array(text.utf8)
    return key.count == 24 && key[22...] == [UInt8(ascii: "="), UInt8(ascii: "=")]
      && key[..<22].allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
          true
        default: false
        }
      }
  }

  /// What proves that a key was understood: the base64 of the SHA-1 of the key and a fixed text (section 1.3). Nil if
  /// OpenSSL has no SHA-1, as a setting of the system can bring about.
  static func acceptance(of key: String) -> String? {
    let text = Array(key.utf8) + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    guard SHA1(text, text.count, &digest) != nil else { return nil }
    return Base64.encode(digest)
  }
}
