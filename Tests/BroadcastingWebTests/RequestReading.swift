//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import BroadcastingWeb

/// What a parser made of some bytes, in a form that can be compared.
struct Reading: Equatable {
  var requests: [String] = []
  var failure: HTTPError?
  /// How often the client was to be told to go on.
  var continues = 0
  var isIdle = false

  /// Feeds all pieces, each as often as there is something left of it.
  static func of(_ pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()) -> Reading {
    let parser = HTTPRequestParser(limits: limits)
    var reading = Reading()
    feeding: for piece in pieces {
      var rest = piece[...]
      while !rest.isEmpty {
        let (consumed, event) = rest.withUnsafeBytes { parser.read($0) }
        rest = rest.dropFirst(consumed)
        switch event {
        case .needsMore: precondition(rest.isEmpty)
        case .expectsContinue: reading.continues += 1
        case .request(let request, let keepAlive): reading.requests.append(summary(request, keepAlive))
        case .failed(let error):
          reading.failure = error
          break feeding
        }
      }
    }
    reading.isIdle = parser.isIdle
    return reading
  }

  static func of(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Reading {
    of([Array(text.utf8)], limits: limits)
  }

  static func summary(_ request: HTTPRequest, _ keepAlive: Bool) -> String {
    let fields = request.headers.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
    return "\(request.method) \(request.target) \(request.version) \(fields) "
      + "\(String(decoding: request.body, as: UTF8.self)) \(keepAlive ? "keep" : "close")"
  }
}

/// The first request in a text, or nil.
func firstRequest(_ text: String) -> HTTPRequest? {
  if case .request(let request, _) = Array(text.utf8).withUnsafeBytes({ HTTPRequestParser().read($0).event }) {
    return request
  }
  return nil
}
