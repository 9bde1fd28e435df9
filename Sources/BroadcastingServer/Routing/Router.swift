//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// Finds who answers a request, by its path first and its method second.
///
/// A path is matched segment by segment. A segment that is spelt out goes before a parameter; when nothing fits behind
/// it the parameter is tried. A slash at the end of a request's path is ignored, an empty segment matches nothing, and
/// `.` and `..` are characters like others. Once a path has been found, its methods are all that counts: a route with a
/// parameter doesn't take over a method that the spelt-out one lacks.
package struct Router<Value> {
  fileprivate struct Route {
    var kind: RouteKind
    var pattern: RoutePattern
    var value: Value
  }

  private var routes: [Route] = []
  private var tree = RouteTree<Value>()

  package init() {}

  /// Registers `value` for a method, or for the socket, of a path. See ``RoutePattern`` for how paths are written.
  package mutating func add(_ kind: RouteKind, _ pattern: String, _ value: Value) throws(RouteError) {
    try add(kind, RoutePattern(pattern), value)
  }

  /// Registers all routes of `other` with `prefix` before their paths. The prefix may have parameters. When one of the
  /// routes can't be registered, none is.
  ///
  /// - Parameter transform: What to register for a value of `other`.
  package mutating func mount(
    _ other: Router, under prefix: String, _ transform: (Value) -> Value = { $0 }
  ) throws(RouteError) {
    let prefix = try RoutePattern(prefix)
    var result = self
    for route in other.routes {
      try result.add(route.kind, route.pattern.mounted(under: prefix), transform(route.value))
    }
    self = result
  }

  private mutating func add(_ kind: RouteKind, _ pattern: RoutePattern, _ value: Value) throws(RouteError) {
    if case .method(let name) = kind, name.isEmpty || !name.utf8.allSatisfy(ASCII.isToken) {
      throw RouteError(.invalidMethod, pattern.description, "\"\(name)\" is no method")
    }
    if let name = tree.conflictingParameter(with: pattern) {
      throw RouteError(
        .conflictingParameter, pattern.description,
        "another route calls the parameter at the same place \":\(name)\"; give both the same name")
    }
    guard tree.insert(kind, pattern, value) else {
      throw RouteError(.duplicateRoute, pattern.description, "there is one for \(kind) already")
    }
    routes.append(Route(kind: kind, pattern: pattern, value: value))
  }

  /// - Parameters:
  ///   - method: as it stands in the request.
  ///   - path: the request's path as it came, without its query.
  ///   - wantsSocket: whether the request asks to become a WebSocket. Where there is none, that is ignored, as RFC 9110,
  ///     section 7.8, allows.
  package func match(_ method: String, _ path: some Collection<UInt8>, wantsSocket: Bool = false) -> RouteMatch<Value> {
    path.withContiguousStorageIfAvailable { match(method, path: $0, wantsSocket: wantsSocket) }
      ?? Array(path).withUnsafeBufferPointer { match(method, path: $0, wantsSocket: wantsSocket) }
  }

  private func match(_ method: String, path: UnsafeBufferPointer<UInt8>, wantsSocket: Bool) -> RouteMatch<Value> {
    // RFC 9110, section 9.3.7: `OPTIONS *` asks about the server as a whole.
    if method == "OPTIONS", path.elementsEqual([UInt8(ascii: "*")]) { return .options(allow: allowedAnywhere) }

    let match: RouteTree<Value>.Match
    do throws(RoutePath.Failure) {
      guard let found = tree.find(try RoutePath(path, maxSegments: tree.depth)) else { return .notFound }
      match = found
    } catch {
      return error == .malformed ? .malformedPath : .notFound
    }
    let resource = match.resource
    if wantsSocket, method == "GET", let socket = resource.socket { return .found(socket, match.parameters) }
    if let value = resource[method] { return .found(value, match.parameters) }
    if method == "HEAD", let value = resource["GET"] { return .found(value, match.parameters) }
    if method == "OPTIONS" { return .options(allow: resource.allow) }
    if method == "GET" || method == "HEAD", resource.socket != nil { return .upgradeRequired }
    return .methodNotAllowed(allow: resource.allow)
  }

  private var allowedAnywhere: String {
    var all = RouteMethods()
    for route in routes { all.insert(route.kind) }
    return all.allow
  }
}

extension Router: Sendable where Value: Sendable {}
extension Router.Route: Sendable where Value: Sendable {}
