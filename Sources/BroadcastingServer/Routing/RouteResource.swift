//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What stands behind one path: a value for each method, and one for its WebSocket.
struct RouteResource<Value> {
  private var methods: [(name: String, value: Value)] = []
  private(set) var socket: Value?
  /// The methods that can be asked for, as the field `Allow` lists them (RFC 9110, section 10.2.1).
  private(set) var allow = ""
  private var asked = RouteMethods()

  subscript(method: String) -> Value? { methods.first { $0.name == method }?.value }

  mutating func set(_ value: Value, for kind: RouteKind) {
    switch kind {
    case .method(let name): methods.append((name, value))
    case .socket: socket = value
    }
    asked.insert(kind)
    allow = asked.allow
  }

  func has(_ kind: RouteKind) -> Bool {
    switch kind {
    case .method(let name): self[name] != nil
    case .socket: socket != nil
    }
  }
}

extension RouteResource: Sendable where Value: Sendable {}

/// How a path is asked for.
package enum RouteKind: Hashable, Sendable, CustomStringConvertible {
  case method(String)
  case socket

  package var description: String {
    switch self {
    case .method(let name): name
    case .socket: "a socket"
    }
  }
}

/// The methods by which something can be asked for. A socket is asked for by GET; HEAD and OPTIONS are answered for
/// whoever doesn't answer them.
struct RouteMethods: Sendable {
  private var names: Set<String> = ["OPTIONS"]

  mutating func insert(_ kind: RouteKind) {
    switch kind {
    case .method("GET"), .socket: names.formUnion(["GET", "HEAD"])
    case .method(let name): names.insert(name)
    }
  }

  var allow: String { names.sorted().joined(separator: ", ") }
}
