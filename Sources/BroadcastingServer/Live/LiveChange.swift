//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A change of a live resource, as its sockets get it.
public struct LiveChange: Sendable, Hashable {
  /// What the sockets get, as one text frame.
  public var text: String

  /// The keys that it belongs to. A socket of a key gets the changes that have it, a socket without one gets all.
  public var keys: [String]

  /// Whether it belongs to every key, whatever ``keys`` says: that all rows of a table are gone, for instance.
  public var isForEveryKey = false

  /// Where it stands among all changes, for a ``LiveState`` that says what it includes: a number from a sequence, or a
  /// transaction.
  public var version: UInt64?

  /// Whether what its keys name is gone. Their sockets get the change and are closed with 4404, those without a key go on.
  public var isDeletion: Bool

  public init(_ text: String, keys: [String] = [], version: UInt64? = nil, isDeletion: Bool = false) {
    self.text = text
    self.keys = keys
    self.version = version
    self.isDeletion = isDeletion
  }
}
