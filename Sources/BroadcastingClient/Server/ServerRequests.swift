//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
package import BroadcastingWeb

/// The requests that a server of ours takes.
package struct ServerRequests: Sendable {
  let url: ServerURL

  /// As many messages as a server gives at once.
  private static let messagesPerPage = 1_000

  /// Asks whether a server of ours is there: `GET` of the sockets' path without an upgrade, which publishes nothing and
  /// subscribes to nothing, but goes through the same checks.
  let probe: HTTPRequest

  private let pushTarget: String
  private let eventsTarget: String
  private let historyTarget: String
  private let eventsHeaders: HTTPHeaders
  private let historyHeaders: HTTPHeaders
  private let textHeaders: HTTPHeaders
  private let binaryHeaders: HTTPHeaders

  /// Fields that say something of a single request, and so are ours to write.
  private static let ownFields: Set<String> = [
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
  ]

  /// Whether a header field is the client's own to write, so that no user can set it.
  package static func isOwn(field name: String) -> Bool {
    let name = name.lowercased()
    return ownFields.contains(name) || name.hasPrefix("sec-websocket-")
  }

  /// - Throws: An error with the code `invalidURL` for paths and header fields that can't be sent.
  package init(_ url: ServerURL, _ configuration: RemoteBroadcast.Configuration) throws(BroadcastError) {
    self.url = url
    var fields: HTTPHeaders = [:]
    for (name, value) in configuration.headers {
      guard !Self.isOwn(field: name) else {
        throw BroadcastError(.invalidURL, "The header field \(name) is written by the client itself. Leave it out.")
      }
      fields.append(name, value)
    }
    if fields["Authorization"] == nil, let credentials = url.authorization {
      fields.append("Authorization", credentials)
    }
    if fields["User-Agent"] == nil { fields.append("User-Agent", "swift-broadcast") }
    eventsHeaders = fields
    var all: HTTPHeaders = ["Host": url.hostField]
    for (name, value) in fields { all.append(name, value) }
    (textHeaders, binaryHeaders) = (
      Self.adding("text/plain", as: "Content-Type", to: all),
      Self.adding("application/octet-stream", as: "Content-Type", to: all)
    )
    let query = url.query.isEmpty ? "" : "?\(url.query)"
    let separator = url.query.isEmpty ? "?channel=" : "&channel="
    pushTarget = url.basePath + configuration.pushPath + query + separator
    eventsTarget = url.basePath + configuration.eventsPath + query + separator
    historyTarget = url.basePath + configuration.historyPath + query + separator
    // Pages cannot send this, so that no server takes it for one which it knows by another name.
    historyHeaders = Self.adding("swift-broadcast", as: "Sec-Broadcast-Client", to: all)
    probe = HTTPRequest(target: url.basePath + configuration.eventsPath + query, headers: all)
    for path in [configuration.pushPath, configuration.eventsPath, configuration.historyPath]
    where path.first != "/" || path.contains("?") {
      throw BroadcastError(.invalidURL, "A path of the server's begins with a slash and has no query: \"\(path)\".")
    }
    for request in [probe, HTTPRequest(method: .post, target: pushTarget, headers: textHeaders)] {
      var bytes: [UInt8] = []
      do throws(HTTPError) {
        try HTTPSerializer.append(request, to: &bytes)
      } catch {
        throw BroadcastError(.invalidURL, error.message)
      }
    }
  }

  /// `text/plain` and not JSON, so that bytes stay bytes.
  package func push(_ message: Message) -> HTTPRequest {
    HTTPRequest(
      method: .post, target: pushTarget + PercentEncoding.encode(message.channel.name),
      headers: message.kind == .text ? textHeaders : binaryHeaders, body: message.payload)
  }

  /// No `Origin`: that is a browser's, and means a page.
  package func events(_ channel: Channel, positions: Bool = false) -> WebSocketClientHandshake {
    WebSocketClientHandshake(
      host: url.hostField,
      target: eventsTarget + PercentEncoding.encode(channel.name) + (positions ? "&positions=true" : ""),
      headers: eventsHeaders)
  }

  /// One page of what a channel has kept.
  func history(_ channel: Channel, _ query: HistoryQuery) -> HTTPRequest {
    var target = historyTarget + PercentEncoding.encode(channel.name)
    target += "&limit=\(min(max(1, query.maximumMessages), Self.messagesPerPage))"
    switch query.start.value {
    case .live: target += "&last=0"
    case .last(let count): target += "&last=\(min(count, HistoryPolicy.greatestMessages))"
    case .after(let position): target += "&after=\(position)"
    }
    return HTTPRequest(target: target, headers: historyHeaders)
  }

  private static func adding(_ value: String, as name: String, to headers: HTTPHeaders) -> HTTPHeaders {
    var headers = headers
    headers.append(name, value)
    return headers
  }
}
