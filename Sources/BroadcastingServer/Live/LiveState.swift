//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The state of a live resource, as its sockets get it before the changes.
public struct LiveState: Sendable {
  /// What the sockets get, as one text frame.
  public var text: String

  /// Says of a change whether the state has it already. Nil where nobody knows.
  let includes: (@Sendable (LiveChange) -> Bool)?

  /// A state that knows no version.
  ///
  /// A change that comes while the state is read is sent behind it, whether the state has it or not: at worst a socket gets
  /// it twice, and never misses it.
  public init(_ text: String) {
    self.text = text
    includes = nil
  }

  /// A state with all changes up to a version.
  ///
  /// - Parameters:
  ///   - text: What the sockets get.
  ///   - version: Changes up to it are not sent again. Versions are those of all the changes of a ``LiveChanges``, and the
  ///     changes come in their order.
  public init(_ text: String, version: UInt64) {
    self.init(text) { change in change.version.map { $0 <= version } ?? false }
  }

  /// A state that says itself what it has.
  ///
  /// - Parameters:
  ///   - text: What the sockets get.
  ///   - includes: Whether the state has a change. It is asked on an event loop for each one, in order, until it says no for
  ///     the first time; that change and all behind it are sent.
  public init(_ text: String, includes: @escaping @Sendable (LiveChange) -> Bool) {
    self.text = text
    self.includes = includes
  }
}
