//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A kind of broker that can be chosen by a URL.
///
/// Each backend's module adds a static member, and a program names those it wants to have:
///
/// ```swift
/// let broadcast = try BroadcastBackend.open("memory://", among: [.memory])
/// ```
public struct BroadcastBackend: Sendable {
  /// The schemes of its URLs, in lower case.
  public let schemes: [String]
  private let make: @Sendable (BackendURL) throws(BroadcastError) -> any Broadcast

  /// - Parameters:
  ///   - schemes: The schemes of its URLs, in lower case.
  ///   - make: Makes the backend of a URL. It does not connect: that is for `run()`.
  public init(schemes: [String], make: @escaping @Sendable (BackendURL) throws(BroadcastError) -> any Broadcast) {
    self.schemes = schemes
    self.make = make
  }

  /// Makes the backend which a URL asks for. It begins to work with its `run()`.
  ///
  /// - Throws: ``BroadcastError/Code/invalidURL``, or ``BroadcastError/Code/unknownScheme`` with the schemes that are
  ///   known. Messages never hold a password.
  public static func open(
    _ url: String, among backends: [BroadcastBackend]
  ) throws(BroadcastError) -> any Broadcast {
    let url = try BackendURL(url)
    for backend in backends where backend.schemes.contains(url.scheme) { return try backend.make(url) }
    let known = backends.flatMap(\.schemes).map { "\($0)://" }.joined(separator: ", ")
    throw BroadcastError(
      .unknownScheme, "No backend is known for \"\(url.scheme)://\". Known here: \(known.isEmpty ? "none" : known).")
  }
}
