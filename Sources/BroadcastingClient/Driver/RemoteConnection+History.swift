//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// What a channel has kept, asked on the connections for publishing.
extension RemoteConnection {
  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    try checkIsOpen()
    let deadline = ContinuousClock.now + configuration.requestTimeout
    while true {
      let lent: PushConnections.Lent
      do throws(BroadcastError) { lent = try await connections.lend(by: deadline) } catch {
        noteConnecting(error)
        throw error.with(nil)
      }
      let response: HTTPResponse
      do throws(HTTPExchangeFailure) {
        response = try await lent.connection.send(requests.history(channel, query), within: max(.zero, deadline - .now))
      } catch {
        await connections.takeBack(lent)
        // It ended before anything was written: another one may live.
        if lent.wasFree, !error.wasWritten, error.isLoss { continue }
        let reason = RemoteError.exchange(error, with: requests.url, isPublishing: false)
        noteLoss(error, reason)
        throw reason
      }
      await connections.takeBack(lent)
      if response.status == .ok, let page = HistoryAnswer.page(response.body, of: channel) { return page }
      let error = answers.error(response, to: .history(channel)) ?? RemoteError.ended
      note(error)
      throw error
    }
  }
}
