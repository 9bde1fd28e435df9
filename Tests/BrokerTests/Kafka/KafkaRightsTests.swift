//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A Kafka user with few rights", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(3)))
struct KafkaRightsTests {
  @Test("topics alone are enough, no groups; what is missing is refused, and named")
  func rights() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "word"]
    options.checksRights = true
    try await KafkaServer.with(options) { kafka in
      let admin = kafka.admin
      let events = Events()
      let url = kafka.url(port: kafka.loginPort, user: ("app", "word"))
      // Nothing at all: the probe's topic is not to be had.
      let starting = await failure { try await Broker.kafka.open(url, events).run() }
      #expect(starting?.code == .refused, "\(starting?.description ?? "")")
      #expect(starting?.message.contains("__broadcast.probes") == true, "\(starting?.description ?? "")")

      try await admin.allow("app", [.read, .write, .describe, .create], on: .topics("__broadcast."))
      try await admin.allow("app", [.read, .write, .describe, .create], on: .topics("app."))
      try await admin.allow("app", [.read, .write, .describe], on: .topics("given."))
      try await admin.allow("app", [.read, .describe], on: .topic("read-only"))
      try await admin.allow("app", [.write, .describe], on: .topic("write-only"))
      for topic in ["read-only", "write-only"] { try await admin.create(topic) }
      try await wait(for: "the rights") {
        (try? await withBroadcast(Broker.kafka.open(url, Events())) { try await $0.publish("x", to: "app.first") })
          != nil
      }
      try await withBroadcast(Broker.kafka.open(url, events)) { broadcast in
        var deliveries = try await broadcast.subscribe(to: "app.new").makeAsyncIterator()
        try await broadcast.publish("hello", to: "app.new")
        #expect(try await deliveries.texts(upTo: "hello") == ["hello"])

        let creating = await failure { try await broadcast.subscribe(to: "given.new") }
        #expect(creating?.code == .refused && creating?.message.contains("Create") == true, "\(creating as Any)")
        let writing = await failure { try await broadcast.publish("x", to: "read-only") }
        #expect(writing?.code == .refused && writing?.message.contains("Write") == true, "\(writing as Any)")
        #expect(writing?.outcome == .notSent && writing?.isRetriable == false)
        // Where messages end may be seen by who may not read them.
        _ = try? await broadcast.subscribe(to: "write-only")
        try await broadcast.publish("still there", to: "app.new")
        #expect(try await deliveries.texts(upTo: "still there") == ["still there"])
        #expect(broadcast.statistics.isAvailable)
      }
    }
  }

  @Test("who may write probes and not read them is told so at the start")
  func probes() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "word"]
    options.checksRights = true
    try await KafkaServer.with(options) { kafka in
      let probes = KafkaAdmin.Resource.topic("__broadcast.probes")
      try await kafka.admin.allow("app", [.write, .describe, .create], on: probes)
      let url = kafka.url(port: kafka.loginPort, user: ("app", "word"))
      try await wait(for: "the refusal") {
        let error = await failure { try await Broker.kafka.open(url, Events()).run() }
        return error?.code == .refused && error?.message.contains("Read") == true
          && error?.message.contains("__broadcast.probes") == true
      }
    }
  }

  @Test("who may not read a topic is told so by the call or by an event")
  func reading() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "word"]
    options.checksRights = true
    try await KafkaServer.with(options) { kafka in
      try await kafka.admin.allow("app", [.all], on: .topics("__broadcast."))
      try await kafka.admin.allow("app", [.write, .describe], on: .topic("write-only"))
      try await kafka.admin.create("write-only")
      let events = Events()
      let url = kafka.url(port: kafka.loginPort, user: ("app", "word"))
      try await wait(for: "the rights") {
        (try? await withBroadcast(Broker.kafka.open(url, Events())) { _ in }) != nil
      }
      try await withBroadcast(Broker.kafka.open(url, events)) { broadcast in
        let subscription: Subscription
        do throws(BroadcastError) {
          subscription = try await broadcast.subscribe(to: "write-only")
        } catch {
          #expect(error.code == .refused && error.message.contains("Read"), "\(error)")
          return
        }
        try await wait(for: "the refusal") {
          events.all.contains { $0.channel == "write-only" && $0.error?.message.contains("Read") == true }
        }
        // With the right to it all is well.
        try await kafka.admin.allow("app", [.read], on: .topic("write-only"))
        var deliveries = subscription.makeAsyncIterator()
        try await wait(for: "coming back") { events.count(.resubscribed) > 0 }
        try await broadcast.publish("after", to: "write-only")
        let after = try await deliveries.texts(upTo: "after")
        #expect(after.last == "after")
      }
    }
  }
}
