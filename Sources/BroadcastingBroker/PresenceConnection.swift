//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting

/// A connection to a broker that knows who is present.
package protocol PresenceConnection: BrokerConnection {
  func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String]
  func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer
  func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot
  func watchPresence(of channel: Channel) async throws(BroadcastError)
  func unwatchPresence(of channel: Channel) async throws(BroadcastError)
  func finishPresence() async
}

extension BrokerDriver {
  private func presenceConnection() throws(BroadcastError) -> any PresenceConnection {
    guard let connection = try connection() as? any PresenceConnection else { throw .presenceUnsupported }
    return connection
  }

  package func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String] {
    try await presenceConnection().changePresence(change)
  }

  package func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer {
    try await presenceConnection().checkPresence(check)
  }

  package func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot {
    try await presenceConnection().presence(of: channel)
  }

  package func watchPresence(of channel: Channel) async throws(BroadcastError) {
    try await presenceConnection().watchPresence(of: channel)
  }

  package func unwatchPresence(of channel: Channel) async throws(BroadcastError) {
    try await presenceConnection().unwatchPresence(of: channel)
  }

  package func finishPresence() async { try? await presenceConnection().finishPresence() }
}
