//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingServer

/// Numbers by key, each of which only grows, by one with each change. Changes are `key number`, states `=` and the numbers.
final class Ledger: Sendable {
  private struct Numbers {
    var all: [String: Int] = [:]
    var version: UInt64 = 0
  }

  let changes = LiveChanges(of: ["ledger"]) { message in
    guard let text = message.text, text != "nothing" else { return nil }
    let parts = text.split(separator: " ")
    return LiveChange(
      "\(parts[0]) \(parts[1])", keys: [String(parts[0])], version: UInt64(parts[2]), isDeletion: parts[1] == "-")
  }
  let reads = Counter()
  private let numbers = Lock(Numbers())

  var version: UInt64 { numbers.withLock { $0.version } }

  /// Changes a number and gives the message that says so, which is still to be published.
  func change(_ key: String) -> String {
    numbers.withLock { numbers in
      numbers.version += 1
      numbers.all[key, default: 0] += 1
      return "\(key) \(numbers.all[key] ?? 0) \(numbers.version)"
    }
  }

  func delete(_ key: String) -> String {
    numbers.withLock { numbers in
      numbers.version += 1
      numbers.all[key] = nil
      return "\(key) - \(numbers.version)"
    }
  }

  /// The present state, of one key or of all.
  func state(_ key: String? = nil) throws(RequestError) -> (text: String, version: UInt64) {
    reads.next()
    let (all, version) = numbers.withLock { ($0.all, $0.version) }
    guard let key else {
      return ("=" + all.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ","), version)
    }
    guard let number = all[key] else { throw RequestError(.notFound, "no_number", "There is no number \(key).") }
    return ("=\(number)", version)
  }

  /// A route for all numbers, and one for each.
  func add(to routes: inout Routes, sharedName: String? = nil) {
    routes.live("/ledger") { _ in
      LiveResource(self.changes, sharedName: sharedName) {
        let state = try self.state()
        return LiveState(state.text, version: state.version)
      }
    }
    routes.get("/ledger/:key") { request in .text(try self.state(try request.parameter("key")).text) }
    routes.live("/ledger/:key") { request in
      let key = try request.parameter("key")
      return LiveResource(self.changes, key: key, sharedName: sharedName) {
        let state = try self.state(key)
        return LiveState(state.text, version: state.version)
      }
    }
  }
}

extension RunningServer {
  func change(_ key: String, in ledger: Ledger) async throws {
    try await broadcast.publish(ledger.change(key), to: "ledger")
  }
}

extension TestClient {
  /// Reads changes of one key and states of it, up to a number. Nil where one is missing or doubled.
  func follow(to last: Int) async -> Int? {
    var number = -1
    while number < last, let text = await receiveText() {
      if text.hasPrefix("=") {
        guard let next = Int(text.dropFirst()), next >= number else { return nil }
        number = next
      } else {
        guard let next = Int(text.split(separator: " ").last ?? ""), next == number + 1 else { return nil }
        number = next
      }
    }
    return number
  }
}
