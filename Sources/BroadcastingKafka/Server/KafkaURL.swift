//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// The brokers that a URL names: for messages, without a secret, and for librdkafka.
struct KafkaServerAddress: Sendable, Hashable, CustomStringConvertible {
  /// "host:port", IPv6 in brackets, one after the other with a comma.
  let description: String
}

/// Where a cluster is, who logs in there, and how it is used: what a URL says, and a configuration where the URL says nothing.
struct KafkaURL: Sendable {
  let servers: KafkaServerAddress
  /// The one topic for all channels; nil: each is a topic.
  let topic: String?
  let probeTopic: String
  /// Nil: topics are not made.
  let newTopics: NewTopics?
  /// What is said to librdkafka, but not yet checked.
  let properties: [String: String]

  private static let usualPort: UInt16 = 9092
  private static let maximumHosts = 64

  /// - Throws: An error with the code `invalidURL`.
  init(_ url: BackendURL, over configuration: KafkaBroadcast.Configuration = .init()) throws(BroadcastError) {
    guard url.scheme == "kafka" else { throw Self.invalid("its scheme is not kafka") }
    guard !url.rest.utf8.contains(UInt8(ascii: "#")) else {
      throw Self.invalid("a # begins a fragment, which it has none of; write %23 for the character")
    }
    let (beforeQuery, query) = Self.cut(url.rest[...], at: "?")
    let (authority, path) = Self.cut(beforeQuery, at: "/")
    guard path?.isEmpty ?? true else {
      throw Self.invalid(
        "behind the brokers stands a path; a topic for all channels is written ?topic=NAME, and a / in a user or password %2F"
      )
    }
    let at = authority.lastIndex(of: "@")
    guard at != nil || query?.contains("@") != true else {
      throw Self.invalid(
        "a @ stands behind the question mark, and none in front of it; a ? in a user or password is written %3F, and a @ that "
          + "belongs to an option %40")
    }
    let hosts = at.map { authority[authority.index(after: $0)...] } ?? authority
    servers = try Self.servers(hosts)
    let options = try Options(query ?? "", configuration)
    topic = options.topic
    probeTopic = options.probeTopic
    newTopics = options.newTopics
    guard topic != probeTopic else {
      throw Self.invalid("the topic of the channels and probe.topic, by which a connection checks itself, are the same")
    }
    var properties = options.properties
    if let (user, password) = try Self.login(authority[..<(at ?? authority.startIndex)]) {
      guard properties["sasl.username"] == nil, properties["sasl.password"] == nil else {
        throw Self.invalid("it has a user in front of the host, and sasl.username or sasl.password as well")
      }
      properties["sasl.username"] = user
      properties["sasl.password"] = password
      switch properties["security.protocol"]?.lowercased() {
      case nil, "plaintext": properties["security.protocol"] = "sasl_plaintext"
      case "ssl": properties["security.protocol"] = "sasl_ssl"
      default: break
      }
      if properties["sasl.mechanism"] == nil, properties["sasl.mechanisms"] == nil {
        properties["sasl.mechanism"] = "PLAIN"
      }
    }
    self.properties = properties
  }

  // MARK: Brokers

  private static func servers(_ text: Substring) throws(BroadcastError) -> KafkaServerAddress {
    if text.isEmpty { return KafkaServerAddress(description: "localhost:\(usualPort)") }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= maximumHosts else {
      throw invalid("it names more than \(maximumHosts) brokers; three are enough")
    }
    var servers: [String] = []
    for part in parts {
      guard !part.isEmpty else { throw invalid("between two commas, or beside one, a broker is missing") }
      servers.append(try server(part))
    }
    return KafkaServerAddress(description: servers.joined(separator: ","))
  }

  private static func server(_ place: Substring) throws(BroadcastError) -> String {
    if place.first == "[" {
      let (digits, rest) = cut(place.dropFirst(), at: "]")
      let address = try decode(digits, "address in brackets")
      guard let rest, SocketAddress(digits: address, port: 0)?.family == .ipv6, rest.isEmpty || rest.first == ":" else {
        throw invalid("what stands in brackets is no IPv6 address, or something else than a port follows")
      }
      return "[\(address)]:\(try port(rest.dropFirst()))"
    }
    let (name, digits) = cut(place, at: ":")
    let host = try decode(name, "host")
    guard host.utf8.allSatisfy(isHostByte) else {
      throw invalid("a host has a character that no host has; an IPv6 address stands in brackets")
    }
    return "\(host.isEmpty ? "localhost" : host):\(try port(digits ?? ""))"
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func port(_ digits: Substring) throws(BroadcastError) -> UInt16 {
    if digits.isEmpty { return usualPort }
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(digits),
      port > 0
    else {
      throw invalid("a port is a number from 1 to 65535; a @ or : in a user or password is written as %40 or %3A")
    }
    return port
  }

  private static func login(_ text: Substring) throws(BroadcastError) -> (user: String, password: String)? {
    if text.isEmpty { return nil }
    let (name, secret) = cut(text, at: ":")
    guard !name.isEmpty, let secret else {
      throw invalid("a user needs a password, and a password a user, as in kafka://user:password@host")
    }
    return (try decode(name, "user"), try decode(secret, "password"))
  }

  // MARK: Text

  static func cut(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
    guard let index = text.firstIndex(of: separator) else { return (text, nil) }
    return (text[..<index], text[text.index(after: index)...])
  }

  /// Undoes percent-encoding (RFC 3986, section 2.1).
  static func decode(_ text: Substring, _ what: String) throws(BroadcastError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      rest = rest.dropFirst(2)
      guard digits.count == 2, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
        let value = UInt8(Substring(digits), radix: 16)
      else { throw invalid("the \(what) has a % without two hexadecimal digits; a % itself is written as %25") }
      bytes.append(value)
    }
    guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
      throw invalid("the \(what) has a NUL, or is not UTF-8 once its percent-encoding is undone")
    }
    return decoded
  }

  /// Repeats the scheme alone: in a URL that is none a password may stand anywhere.
  static func invalid(_ what: String) -> BroadcastError {
    BroadcastError(.invalidURL, "The URL kafka://… is none of a Kafka cluster: \(what).")
  }
}
