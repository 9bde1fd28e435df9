//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// A socket whose frames are requests.
final class RequestSocket: Sendable {
  private let handler: RequestHandler
  private let peer: HTTPPeer
  private let limits: RequestSocketLimits
  /// Of the handshake, as each request has them.
  private let headers: HTTPHeaders
  private let headersWithBody: HTTPHeaders

  /// - Parameter handshake: the request that became the socket.
  init(_ handshake: Request, _ limits: RequestSocketLimits) {
    handler = handshake.handler
    peer = handshake.peer
    self.limits = limits
    headers = handshake.http.headers.ofRequests
    var headers = headers
    headers.append("Content-Type", "application/json")
    headersWithBody = headers
  }

  /// Answers until nothing comes any more, and sends what comes for the channels.
  func serve(_ socket: WebSocket, _ feed: SocketFeed) async {
    // Neither throws: it ends when one of them does.
    try? await runUntilFirstCompletes(
      { await self.answerAll(on: socket) },
      {
        do throws(WebSocketClosure) {
          try await feed.deliver(to: socket)
        } catch {
          await socket.close(error.code, reason: error.reason)
        }
        // Nobody hears of it any more, but what was asked for may be half done: it has this long, unless the task is cancelled.
        try? await Task.sleep(for: self.handler.sockets.timeouts.close)
      })
  }

  private func answerAll(on socket: WebSocket) async {
    let longest = handler.sockets.limits.messageBytes
    await withTaskGroup(of: Int.self) { group in
      // Of frames that are not answered yet.
      var (running, bytes) = (0, 0)
      while true {
        while running == limits.inFlight || bytes > longest, let answered = await group.next() {
          running -= 1
          bytes -= answered
        }
        guard let message = await socket.receive() else { return }
        running += 1
        bytes += message.bytes.count
        group.addTask {
          await self.answer(message, on: socket)
          return message.bytes.count
        }
      }
    }
  }

  private func answer(_ message: WebSocketMessage, on socket: WebSocket) async {
    let answer = await answer(message)
    // It fails when the socket is closed: nobody waits for it then.
    try? await socket.send(WebSocketMessage(.text, answer.frame))
    withExtendedLifetime(answer.lease) {}
  }

  private func answer(_ message: WebSocketMessage) async -> AnswerFrame {
    guard message.kind == .text else {
      return AnswerFrame(
        RequestError(.badRequest, "binary_frame", "Requests are text frames. \(RequestFrame.example)"), to: nil)
    }
    let frame: RequestFrame
    do throws(RequestError) { frame = try RequestFrame(message.bytes) } catch { return AnswerFrame(error, to: nil) }
    do throws(RequestError) {
      let request = try request(frame)
      let response = try await handler.respond(to: request, from: peer)
      do throws(RequestError) {
        return try AnswerFrame(response, to: frame.eventName, of: request.method, limit: limits.answerBytes)
      } catch {
        throw handler.requestError(error, request.path)
      }
    } catch {
      return AnswerFrame(error, to: frame.eventName)
    }
  }

  private func request(_ frame: RequestFrame) throws(RequestError) -> HTTPRequest {
    if let fault = frame.fault { throw fault }
    let method = try frame.method()
    let target = try frame.target(limit: handler.rules.maximumTarget)
    let body = frame.body
    return HTTPRequest(
      method: method, target: target, headers: body == nil ? headers : headersWithBody, body: body ?? [])
  }
}

extension HTTPHeaders {
  /// Those fields of a handshake that requests on its socket have too: not what is about the connection, the handshake,
  /// a body, or a browser's question whether it may ask (the handshake was asked that).
  fileprivate var ofRequests: HTTPHeaders {
    let others = [
      "connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "content-type",
      "content-encoding", "expect",
    ]
    let kept = fields.filter { field in
      let name = String(decoding: bytes(field.name), as: UTF8.self).lowercased()
      return !others.contains(name) && !name.hasPrefix("sec-websocket-") && !name.hasPrefix("access-control-request-")
    }
    return HTTPHeaders(block: block, fields: kept)
  }
}
