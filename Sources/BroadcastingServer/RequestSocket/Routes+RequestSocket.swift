//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
import BroadcastingWeb

extension Routes {
  /// A WebSocket whose text frames are requests to the routes that HTTP serves, the server's own endpoints among them.
  ///
  /// A frame is a JSON object; `method` and `url` have to be there:
  ///
  /// ```json
  /// {"method": "PUT", "url": "/user/6/", "args": {"token": "…"}, "data": {"fullname": "Ada"}, "event_name": "rename"}
  /// ```
  ///
  /// - `url` is a path, with a query or without. Characters that a URL can't have may stand in it, or be percent-encoded.
  /// - `args` are further parameters of the query: strings, numbers, `true` and `false`; each value of an array is one.
  /// - `data` is the request's body, as it stands there, with the content type `application/json`.
  /// - `event_name` is any string, by which the client knows the answer. `null` is as good as leaving something out.
  ///
  /// The request has the header fields of the handshake, its host and its address, except what is about the connection
  /// or a body; so a check sees who opened the socket. It is asked by every check that it would be asked by over HTTP. Checks of
  /// the mount in which the socket itself lies are asked at the handshake, and so is the ``OriginPolicy``.
  ///
  /// Each request has one answer, a frame too:
  ///
  /// ```json
  /// {"event_name": "rename", "status": 200, "data": {"id": 6}}
  /// {"event_name": "rename", "status": 404, "error": "no_user", "detail": "There is no user 6."}
  /// ```
  ///
  /// `data` is the response's body: JSON as it is, text (`text/…`, or of no type) as a string, none as `null`, all else as
  /// `{"type": "image/png", "base64": "…"}`. `headers` is there where the response has some that a program may need, such as
  /// `{"location": "/user/6"}`. What a handler or a check throws has `error`, a word for programs, and
  /// `detail`, a sentence; so has what is no request, with 400, and the route of a socket, with 426.
  /// The socket stays open. `event_name` is left out where it was, and where the frame could not be read.
  ///
  /// Several requests are answered at a time, up to ``RequestSocketLimits/inFlight``, and the answers come as they
  /// are done. Beyond that the socket is not read, and nothing is lost. A client that does not read its answers holds up
  /// itself alone. A frame is limited by ``BroadcastServer/Limits/message`` (a longer one closes the socket with 1009), `url`
  /// and `args` by ``BroadcastServer/Limits/target`` (414). While the frames in flight are longer than that limit together, no other
  /// is read. So a socket holds at most two of the longest frames, one that waits unread with some 128 KiB beside it, and
  /// ``RequestSocketLimits/inFlight`` answers.
  ///
  /// When the client closes, what it has sent is still done, for up to twice the close timeout (16 s); what is under way
  /// then is cancelled. When the server stops all is cancelled at once.
  ///
  /// - Parameters:
  ///   - pattern: as for ``socket(_:accept:handler:)``. A page may be at the same path.
  ///   - limits: for each socket.
  ///   - channels: whose messages the socket gets, as frames `{"event_name": CHANNEL, "data": …}` in which a text that
  ///     is JSON is JSON, other text a string, and bytes `{"base64": "…"}`. It decides before the handshake is answered. A
  ///     client that misses messages is closed with 4000, as on `/events`, and should come back and look anew.
  public mutating func requestSocket(
    _ pattern: String, limits: RequestSocketLimits = .init(),
    notifying channels: @escaping @Sendable (Request) async throws -> [Channel] = { _ in [] }
  ) {
    socket(pattern) { request in
      let feed = SocketFeed(try await request.fanOut.join(channels(request), as: .notification))
      let requests = RequestSocket(request, limits)
      return Acceptance { socket in
        await requests.serve(socket, feed)
        return feed.pendingClosure()
      }
    }
  }
}
