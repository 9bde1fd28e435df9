//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a route can't be registered: a mistake in the program, not in a request.
public struct RouteError: Error, Hashable, Sendable, CustomStringConvertible {
  public struct Code: Hashable, Sendable {
    private enum Name { case invalidPattern, invalidMethod, duplicateRoute, conflictingParameter }
    private let name: Name

    /// The pattern is not a path as routes take it.
    public static let invalidPattern = Code(name: .invalidPattern)
    /// The method is not a token of RFC 9110, section 5.6.2.
    public static let invalidMethod = Code(name: .invalidMethod)
    /// The same method, or the socket, is there already for this path.
    public static let duplicateRoute = Code(name: .duplicateRoute)
    /// Another route has a parameter of another name at the same place.
    public static let conflictingParameter = Code(name: .conflictingParameter)
  }

  public let code: Code
  /// The pattern that was to be registered.
  public let pattern: String
  /// What is wrong with it and what to write instead.
  public let message: String

  public var description: String { "the route \"\(pattern)\": \(message)" }

  init(_ code: Code, _ pattern: String, _ message: String) {
    self.code = code
    self.pattern = pattern
    self.message = message
  }
}
