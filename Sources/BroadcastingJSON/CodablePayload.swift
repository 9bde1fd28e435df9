//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
public import FoundationEssentials

extension Message {
  /// Makes a text message of a value's JSON.
  ///
  /// - Throws: ``BroadcastError/Code/undecodable`` when the value cannot be encoded.
  public init(
    json value: some Encodable, to channel: Channel, headers: [Header] = [], encoder: JSONEncoder = JSONEncoder()
  ) throws(BroadcastError) {
    let payload: [UInt8]
    do {
      payload = Array(try encoder.encode(value))
    } catch {
      throw BroadcastError(
        .undecodable, "The value for \"\(channel)\" cannot be encoded as JSON.", outcome: .notSent, underlying: error)
    }
    try self.init(utf8: payload, to: channel, headers: headers)
  }

  /// Reads the payload as JSON.
  ///
  /// - Throws: ``BroadcastError/Code/undecodable`` when it is not JSON of that type.
  public func decoded<Value: Decodable>(
    as type: Value.Type = Value.self, decoder: JSONDecoder = JSONDecoder()
  ) throws(BroadcastError) -> Value {
    do {
      return try decoder.decode(type, from: Data(payload))
    } catch {
      throw BroadcastError(
        .undecodable, "A message of \"\(channel)\" is not JSON of the type \(type).", underlying: error)
    }
  }
}

extension Broadcast {
  /// Publishes a value as JSON, in a text message.
  @discardableResult
  public func publish(
    json value: some Encodable, to channel: Channel, encoder: JSONEncoder = JSONEncoder()
  ) async throws(BroadcastError) -> Receipt {
    try await publish(Message(json: value, to: channel, encoder: encoder))
  }
}
