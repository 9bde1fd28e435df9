//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

extension Routes {
  /// A live resource: a WebSocket that gets its present state, and then every change.
  ///
  /// ```swift
  /// let changes = LiveChanges(of: ["todos"]) { message in message.text.map { LiveChange($0) } }
  /// routes.get("/todos") { request in .json(try await todos.json()) }
  /// routes.live("/todos") { request in
  ///   LiveResource(changes, sharedName: "todos") { LiveState(try await todos.json()) }
  /// }
  /// ```
  ///
  /// Between the state and the changes nothing is missing, and nothing doubled where the state says what it includes
  /// (``LiveState``). The same path may have handlers for GET and other methods beside it.
  ///
  /// Where changes were missed, because a client read too slowly or the broker was away, the state is read again and sent
  /// as a further frame, in place of the changes that are missing. A client must therefore be able to tell a state from a
  /// change.
  ///
  /// Limits are those of the server for its sockets (``BroadcastServer/Limits``): a client may be behind by
  /// `backlogMessages` and `backlogBytes`, and as many changes may come while its state is read. States and changes that
  /// wait count in `memory`.
  ///
  /// It ends, beside all that ends any socket, with
  /// - 4404 behind the change that deletes what the key of the resource names (``LiveChange/isDeletion``), and where a further
  ///   state is not found any more;
  /// - 4000 for a client that falls behind twice in 10 s, or takes nothing for 10 s when it is behind, and where the server has
  ///   no memory for the state, or too many changes came while it was read;
  /// - 1008 for a client that sends a message: it is told what happens, and is not listened to.
  ///
  /// - Parameters:
  ///   - pattern: The path, as with all routes.
  ///   - resource: What the socket follows. It is asked before the handshake is answered; so is the state, for the first time.
  ///     What either throws is the answer instead of the 101: a ``RequestError`` as it says, with 503 where the server has no
  ///     memory for the state.
  public mutating func live(
    _ pattern: String, _ resource: @escaping @Sendable (Request) async throws -> LiveResource
  ) {
    socket(pattern) { request in
      let feed = SocketFeed(try await request.fanOut.join(try await resource(request)))
      return Acceptance { socket in await feed.deliverLive(to: socket) }
    }
  }
}
