//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a socket of a live route follows: a state, and the changes behind it.
public struct LiveResource: Sendable {
  let changes: LiveChanges
  let key: String?
  let sharedName: String?
  let state: @Sendable () async throws -> LiveState

  /// - Parameters:
  ///   - changes: One for all sockets of the route.
  ///   - key: Whose changes to send; nil for all of them.
  ///   - sharedName: Sockets with the same name and key get the same state. Where several of them need it at the same time,
  ///     as after the broker was away, it is read once for all. Leave it out where the state is made for one user.
  ///   - state: Reads the state. It is called for each socket that begins, unless one is being read for its name, and
  ///     again after each gap. It runs on an event loop, where nothing may block or compute for long, and has to come to an end. At
  ///     most 16 run at a time on a loop.
  ///
  ///     What it throws before the handshake is answered is the answer, as in every route. Later on a ``RequestError``
  ///     with 404 or 410 closes the sockets with 4404, one below 500 with 1008. All else is tried again three times, within
  ///     some 5 s; then they are closed with 1011 or 1013.
  public init(
    _ changes: LiveChanges, key: String? = nil, sharedName: String? = nil,
    state: @escaping @Sendable () async throws -> LiveState
  ) {
    self.changes = changes
    self.key = key
    self.sharedName = sharedName
    self.state = state
  }
}
