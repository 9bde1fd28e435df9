//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  func checkFirstSubscribers(_ broadcast: any Broadcast) async throws {
    for _ in 0..<20 {
      let channel = freshChannel()
      let subscriptions = try await withThrowingTaskGroup(of: Subscription.self) { group in
        for _ in 0..<8 { group.addTask { try await broadcast.subscribe(to: channel) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try await broadcast.publish("x", to: channel)
      for subscription in subscriptions {
        var iterator = subscription.makeAsyncIterator()
        let text = try await iterator.messages(1)[0].text
        try expect(text == "x", "One of several first subscribers got \(text ?? "binary").")
      }
    }
  }

  func checkComingBack(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    for round in 0..<50 {
      let subscription = try await broadcast.subscribe(to: channel)
      try await broadcast.publish("\(round)", to: channel)
      var iterator = subscription.makeAsyncIterator()
      var text = try await iterator.messages(1)[0].text
      // On its way from before, where that is allowed.
      while broadcast.capabilities.mayDeliverEarlierMessages, text != "\(round)" {
        text = try await iterator.messages(1)[0].text
      }
      try expect(text == "\(round)", "Who came back to a channel got \(text ?? "binary") instead of \(round).")
      subscription.cancel()
    }
  }

  func checkLeaving(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let before = broadcast.statistics.subscribers
    var dropped: Subscription? = try await broadcast.subscribe(to: channel)
    try expect(broadcast.statistics.subscribers == before + 1, "A subscription is not counted.")
    withExtendedLifetime(dropped) {}
    dropped = nil
    let cancelled = try await broadcast.subscribe(to: channel)
    cancelled.cancel()
    var iterator = cancelled.makeAsyncIterator()
    let delivery = try await iterator.next()
    try expect(delivery == nil, "A cancelled subscription gave \(String(describing: delivery)).")
    try await broadcast.withSubscription(to: channel) { _ in }
    let read = try await broadcast.subscribe(to: channel)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for try await _ in read { return false }
        return true
      }
      group.cancelAll()
      try expect(try await group.next() == true, "A cancelled task went on reading.")
    }
    try await eventually("Leaving a channel") { broadcast.statistics.subscribers == before }
  }

  func checkLifecycle(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let subscription = try await withThrowingTaskGroup(of: Subscription?.self) { group in
      // These wait for run().
      group.addTask { try await broadcast.subscribe(to: channel) }
      group.addTask {
        try await broadcast.publish("x", to: channel)
        return nil
      }
      await Task.yield()
      return try await withBroadcast(broadcast) { _ in
        var subscription: Subscription?
        for try await made in group { subscription = made ?? subscription }
        return subscription
      }
    }
    guard let subscription else { throw Broken("No subscription came of a call made before run().") }
    for try await _ in subscription.batches {}
    try await expectFailure(.notRunning, of: "Publishing after the end of run()") {
      try await broadcast.publish("x", to: channel)
    }
    try await expectFailure(.notRunning, of: "Subscribing after the end of run()") {
      _ = try await broadcast.subscribe(to: channel)
    }
  }
}
