//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork
import BroadcastingWeb

/// Subscribing: a socket for each channel, whose frames say where they stand.
extension RemoteConnection {
  func subscribe(to channel: Channel) async throws(BroadcastError) { _ = try await open(channel) }

  /// Returns when the server has said where the channel stands.
  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    do throws(BroadcastError) {
      let entry = try await openSocket(of: channel)
      do throws(BroadcastError) { return try await head(of: entry) } catch {
        if sockets[channel] === entry { sockets[channel] = nil }
        entry.leave()
        throw error
      }
    } catch {
      // It is the session that fails, and not this channel alone. The hub tells all of them so, and then cancels its calls.
      if failure != nil { await untilCancelled() }
      throw error
    }
  }

  func unsubscribe(from channel: Channel) {
    sockets.removeValue(forKey: channel)?.stop()
  }

  // MARK: Opening

  private func openSocket(of channel: Channel) async throws(BroadcastError) -> ChannelSocket {
    while true {
      try checkIsOpen()
      guard let inbox else { throw RemoteError.ended }
      let positions = speaksPositions
      switch try await ask(for: channel, positions: positions) {
      case .refused(let response):
        let error = answers.error(response, to: .events(channel)) ?? RemoteError.ended
        if positions, (error.underlying as? ServerRefusal)?.code == "unknown_parameter" {
          speaksPositions = false
          continue
        }
        note(error)
        throw error
      case .opened(let socket):
        let entry = ChannelSocket(channel, socket, inbox, positions: positions) { [weak self] entry, close in
          self?.assumeIsolated { $0.ended(entry, close) }
        }
        // The session may have gone meanwhile.
        guard !Task.isCancelled, failure == nil, self.inbox != nil else {
          entry.leave()
          throw failure ?? RemoteError.cancelled()
        }
        sockets.updateValue(entry, forKey: channel)?.leave()
        entry.start()
        return entry
      }
    }
  }

  private func ask(for channel: Channel, positions: Bool) async throws(BroadcastError) -> WebSocketOpening {
    let connection: HTTPClientConnection
    do throws(NetworkError) { connection = try await dialer.connect() } catch {
      let error = RemoteError.connecting(error, to: requests.url)
      noteConnecting(error)
      throw error
    }
    do throws(HTTPExchangeFailure) {
      let opening = try await connection.openWebSocket(
        requests.events(channel, positions: positions), settings, within: configuration.requestTimeout)
      if case .refused = opening { await connection.close() }
      return opening
    } catch {
      await connection.close()
      let reason = RemoteError.exchange(error, with: requests.url, isPublishing: false)
      noteLoss(error, reason)
      throw reason
    }
  }

  private func head(of entry: ChannelSocket) async throws(BroadcastError) -> MessagePosition? {
    let timer: LoopTimer
    do throws(NetworkError) { timer = try LoopTimer(on: loop) } catch { throw RemoteError.ended }
    defer { timer.close() }
    timer.start(after: configuration.requestTimeout) { [requests] in
      entry.fail(RemoteError.silent(requests.url))
    }
    return try await entry.waitForHead()
  }

  private func ended(_ entry: ChannelSocket, _ close: WebSocketClose) {
    guard sockets[entry.channel] === entry else { return }
    sockets[entry.channel] = nil
    let error = RemoteError.closed(close, by: requests.url)
    if entry.isOpen {
      inbox?.lost(
        entry.channel, because: error, reason: close.code == .missedMessages ? .brokerLoss : .connectionLost)
    } else {
      entry.fail(error)
    }
    // What else went this way is probably gone too.
    if close.origin == .connection { connections.assumeIsolated { $0.dropFree() } }
  }
}
