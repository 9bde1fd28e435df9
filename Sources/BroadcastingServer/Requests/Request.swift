//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
import BroadcastingNetwork
public import BroadcastingWeb

/// A request as a route's handler gets it.
public struct Request: Sendable {
  /// The request as it came. One of a ``Routes/requestSocket(_:limits:notifying:)`` has the fields of the handshake.
  public let http: HTTPRequest

  /// What stands in the path for the parameters of the route.
  public let parameters: RouteParameters

  let peer: HTTPPeer
  let handler: RequestHandler

  var fanOut: FanOut { handler.fanOut }
  var rules: ClientRules { handler.rules }

  /// Where the connection comes from, such as `127.0.0.1`: behind a proxy, the proxy.
  public var remoteAddress: String? { peer.address?.host }

  /// Whether it comes from this machine, as behind a proxy on it every request does.
  public var isFromThisMachine: Bool { peer.address?.isLoopback ?? false }

  /// Holds the request to the server's ``OriginPolicy``, as `/push` and every socket are by themselves.
  ///
  /// A route of your own asks nobody where he comes from unless it calls this: right for what any page may read. Call it
  /// where the route changes something, or in ``Routes/check(_:)`` for all routes. Browsers say no origin where a page
  /// gets something from its own server, nor do other programs: such a request passes, if its machine may.
  ///
  /// - Throws: ``RequestError`` with 403 for a page, or a machine, that may not use the server.
  public func checkOrigin() throws(RequestError) {
    let fields = http.headers.values(of: "Origin")
    // Whoever stands in front of the server may have read another one of them.
    guard fields.count <= 1 else { throw RequestError(.severalOrigins) }
    let refusal = rules.origins.refusal(
      origin: fields.first, host: http.host, peerIsLoopback: isFromThisMachine)
    if let refusal { throw RequestError(refusal) }
  }

  /// The value of a parameter of the route, decoded.
  ///
  /// - Throws: ``RequestError`` with 500 if the route has no such parameter: a mistake of the program.
  public func parameter(_ name: String) throws(RequestError) -> String {
    guard let value = parameters[name] else {
      throw RequestError(.internalServerError, "no_parameter", "The route has no parameter \(name).")
    }
    return value
  }

  /// The pairs of the query, decoded.
  ///
  /// - Throws: ``RequestError`` with 400 for a query that cannot be decoded.
  public func query() throws(RequestError) -> HTTPQuery {
    do throws(HTTPError) { return try http.query() } catch { throw RequestError(error) }
  }

  /// The body as text.
  ///
  /// - Throws: ``RequestError`` with 400 if it is not UTF-8.
  public func text() throws(RequestError) -> String {
    guard let text = String(validating: http.body, as: UTF8.self) else {
      throw RequestError(.badRequest, "invalid_text", "The body is not UTF-8.")
    }
    return text
  }

  /// Subscribes the socket that this request becomes, by the server's own fan-out: messages are encoded once for all
  /// sockets and wake no task.
  ///
  /// Call it where the route accepts, so that nothing is missed from before the answer on, and deliver in the handler.
  ///
  /// - Returns: what ``SocketFeed/deliver(to:)`` delivers. Dropping it ends the subscription.
  /// - Throws: `BroadcastError`, for an invalid name or a broker that cannot be reached.
  public func subscribe(to channels: [Channel]) async throws(BroadcastError) -> SocketFeed {
    SocketFeed(try await fanOut.join(channels))
  }

  /// The same, beginning in the past of the channels.
  ///
  /// It returns when the past is at hand, so that it can still be refused by a status.
  ///
  /// - Parameters:
  ///   - channels: whose messages it gets.
  ///   - start: Where it begins in each of the channels; a position belongs to one.
  ///   - positions: Whether each frame begins with a line that says where it stands, `EPOCH-OFFSET CHANNEL`, and the first one
  ///     of each channel is its state: `=EPOCH-OFFSET recovered CHANNEL`, or `missed` where not all is there.
  /// - Returns: what ``SocketFeed/deliver(to:)`` delivers; ``SocketFeed/recovery(of:)`` says what is there of the past.
  /// - Throws: `BroadcastError`: as above, for a channel without a history, and for a position of several channels.
  ///   ``RequestError`` with 503 for a past that the server has no memory for, and for a position that only other servers have
  ///   come to yet.
  public func subscribe(
    to channels: [Channel], from start: SubscriptionStart, positions: Bool = false
  ) async throws -> SocketFeed {
    if start == .live, !positions { return try await subscribe(to: channels) }
    if case .after = start.value, Set(channels).count > 1 {
      throw BroadcastError(.invalidPosition, "A position belongs to one channel. Open a socket for each of them.")
    }
    return SocketFeed(try await fanOut.join(channels, opening: Opening(start, positions: positions)))
  }
}
