//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a request's fields must be for everybody to agree where the request ends and to whom it goes.
struct RequestRules {
  private enum Known {
    case host, contentLength, transferEncoding, expect, upgrade, other

    /// Told apart by length first, so that most fields cost one comparison.
    init(_ name: ArraySlice<UInt8>) {
      switch name.count {
      case 4 where ASCII.isSame(name, "host"): self = .host
      case 6 where ASCII.isSame(name, "expect"): self = .expect
      case 7 where ASCII.isSame(name, "upgrade"): self = .upgrade
      case 14 where ASCII.isSame(name, "content-length"): self = .contentLength
      case 17 where ASCII.isSame(name, "transfer-encoding"): self = .transferEncoding
      default: self = .other
      }
    }
  }

  private(set) var hasUpgrade = false
  private(set) var expectsContinue = false
  private var hosts = 0
  private var lengths = 0
  private var encodings = 0

  /// Goes over the fields once. Without an error the request has at most one length, one encoding, and its one host.
  init(_ headers: HTTPHeaders, _ version: HTTPVersion) throws(HTTPError) {
    for field in headers.fields {
      let value = headers.bytes(field.value)
      switch Known(headers.bytes(field.name)) {
      case .host:
        hosts += 1
        guard value.allSatisfy(ASCII.isHost) else { throw malformed("The Host field isn't a host and a port.") }
      case .contentLength:
        lengths += 1
        guard (1...19).contains(value.count), value.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else {
          throw malformed("The Content-Length field isn't a number of at most 19 digits.")
        }
      case .transferEncoding:
        encodings += 1
        guard version == .http1_1 else { throw malformed("HTTP/1.0 has no Transfer-Encoding.") }
        guard ASCII.isSame(value, "chunked") else {
          throw malformed("The only Transfer-Encoding that is understood is chunked.")
        }
      case .expect:
        // A field that HTTP/1.0 doesn't have is overlooked there (RFC 9110 section 10.1.1).
        guard version == .http1_1 else { continue }
        guard ASCII.isSame(value, "100-continue") else {
          throw HTTPError(.unknownExpectation, "The only Expect that is understood is 100-continue.")
        }
        expectsContinue = true
      case .upgrade: hasUpgrade = true
      case .other: continue
      }
    }
    guard hosts == 1 || (hosts == 0 && version == .http1_0) else {
      throw malformed("There must be one Host field; there are \(hosts).")
    }
    guard lengths + encodings <= 1 else {
      throw malformed("The body's length is given more than once; send one Content-Length or one Transfer-Encoding.")
    }
  }

  private func malformed(_ message: String) -> HTTPError {
    HTTPError(.malformed, message)
  }
}
