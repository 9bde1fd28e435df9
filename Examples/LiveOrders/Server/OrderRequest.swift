//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import FoundationEssentials

/// What a client asks for: `{"method": "subscribe", "channel": "orders"}`, with `"state": true` for the present orders first.
struct OrderRequest: Decodable, Sendable {
  var method: String
  var channel: String
  var state: Bool?

  /// - Throws: ``Refusal``
  init(_ message: WebSocketMessage) throws {
    guard let text = message.text, let request = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
      throw Refusal.malformed
    }
    guard request.method == "subscribe" else { throw Refusal.unknownMethod(request.method) }
    guard request.channel == "orders" else { throw Refusal.unknownChannel(request.channel) }
    self = request
  }

  /// Why a client does not get what it wants.
  enum Refusal: Error {
    case malformed
    case unknownMethod(String)
    case unknownChannel(String)
    case surplus
    case late

    private static let example = #"{"method": "subscribe", "channel": "orders"}"#

    private var code: String {
      switch self {
      case .malformed: "malformed"
      case .unknownMethod: "unknown_method"
      case .unknownChannel: "unknown_channel"
      case .surplus: "surplus"
      case .late: "late"
      }
    }

    var message: String {
      switch self {
      case .malformed: "This is not \(Self.example)."
      case .unknownMethod(let name): "The method \"\(name.prefix(20))\" is unknown; there is \"subscribe\"."
      case .unknownChannel(let name): "The channel \"\(name.prefix(20))\" can't be subscribed to; \"orders\" can."
      case .surplus: "One request is all that a socket takes."
      case .late: "Nothing was asked for within 10 s."
      }
    }

    var frame: String {
      let words = try? JSONEncoder().encode(message)
      return #"{"error":{"code":"\#(code)","message":\#(words.map { String(decoding: $0, as: UTF8.self) } ?? #""""#)}}"#
    }
  }
}
