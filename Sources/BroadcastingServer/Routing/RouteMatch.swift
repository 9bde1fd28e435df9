//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a router says to a request.
package enum RouteMatch<Value> {
  /// This is who answers. To HEAD that is who answers GET, unless there is one for HEAD.
  case found(Value, RouteParameters)
  /// 404
  case notFound
  /// 405; `allow` is the field `Allow`, which has to go with it (RFC 9110, section 15.5.6).
  case methodNotAllowed(allow: String)
  /// 204 or 200 with the field `Allow`: OPTIONS, where nobody has registered it.
  case options(allow: String)
  /// 426: there is only a WebSocket here, and the request did not ask to upgrade.
  case upgradeRequired
  /// 400: not a path, a `%` without two hexadecimal digits, or not UTF-8.
  case malformedPath
}

extension RouteMatch: Sendable where Value: Sendable {}

/// The values that a request's path gives to the parameters of its route, `%` escapes resolved.
public struct RouteParameters: Hashable, Sendable {
  private struct Parameter: Hashable, Sendable {
    var name: String
    var value: String
  }
  private var parameters: [Parameter] = []

  public init() {}

  public var isEmpty: Bool { parameters.isEmpty }

  /// The value of `:name`; nil when the route has no such parameter.
  public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

  mutating func append(_ name: String, _ value: String) { parameters.append(Parameter(name: name, value: value)) }
  mutating func removeLast() { parameters.removeLast() }
}
