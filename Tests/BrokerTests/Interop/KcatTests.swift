//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "kcat on the same broker",
  .enabled(if: Broker.kafka.isStartable && Tool.kcat.isWanted, "Kafka or kcat is missing"), .timeLimit(.minutes(3)))
struct KcatTests {
  @Test("what it publishes to a topic arrives, byte for byte: text as text, and else as binary, with its headers")
  func theirs() async throws {
    let kafka = try await KafkaServer.shared
    try await withBroadcast(Broker.kafka.open(kafka.url(), Events())) { broadcast in
      let texts = ForeignText.all.filter { !$0.isEmpty }
      let arrived = try await ForeignText.arrivals(of: texts, at: broadcast, on: "kcat-theirs") { text in
        try await publish(Array(text.utf8), ["-t", "kcat-theirs"], kafka)
      }
      #expect(arrived == texts.map { Message($0, to: "kcat-theirs") })

      var deliveries = try await broadcast.subscribe(to: "kcat-theirs").makeAsyncIterator()
      let bytes = Array(UInt8.min ... .max)
      try await publish(bytes, ["-t", "kcat-theirs"], kafka)
      #expect(try await deliveries.next() == .message(Message(bytes, to: "kcat-theirs")))
      try await publish([65], ["-t", "kcat-theirs", "-k", "any key", "-H", "trace=é 1", "-H", "empty="], kafka)
      let headers = [Message.Header("trace", "é 1"), Message.Header("empty", "")]
      #expect(try await deliveries.next() == .message(Message("A", to: "kcat-theirs", headers: headers)))
      // No value is none, and neither is an empty one.
      try await kafka.admin.produce([.init(nil, key: [1]), .init("")], to: "kcat-theirs")
      for _ in 0..<2 { #expect(try await deliveries.next() == .message(Message("", to: "kcat-theirs"))) }
    }
  }

  @Test("in one topic for all channels its key is the channel, and what has none is left out, and told once")
  func keys() async throws {
    let kafka = try await KafkaServer.shared
    let events = Events()
    try await withBroadcast(Broker.kafka.open(kafka.url("topic=kcat-keys"), events)) { broadcast in
      var deliveries = try await broadcast.subscribe(to: ["chat 1", "ключ"]).makeAsyncIterator()
      try await publish([65], ["-t", "kcat-keys"], kafka)
      try await kafka.admin.produce([.init([66], key: [255]), .init([66], key: [])], to: "kcat-keys")
      try await publish([66], ["-t", "kcat-keys", "-k", "somebody else's"], kafka)
      try await publish([67], ["-t", "kcat-keys", "-k", "chat 1"], kafka)
      try await publish([68], ["-t", "kcat-keys", "-k", "ключ"], kafka)
      #expect(try await deliveries.next() == .message(Message("C", to: "chat 1")))
      #expect(try await deliveries.next() == .message(Message("D", to: "ключ")))
      #expect(events.count(.dropped) == 1)
    }
  }

  @Test("it hears what we publish, byte for byte, with the channel as the key, and the headers")
  func ours() async throws {
    let kafka = try await KafkaServer.shared
    for topic in [nil, "kcat-together"] {
      try await withBroadcast(
        Broker.kafka.open(kafka.url(topic.map { "topic=\($0)" } ?? ""), Events())
      ) { broadcast in
        for text in ForeignText.all { try await broadcast.publish(text, to: "kcat-ours") }
        try await broadcast.publish([0, 255, 65], to: "kcat-ours")
        try await broadcast.publish(
          Message("last", to: "kcat-ours", headers: [Message.Header("a", "é"), .init("b", "")]))
      }
      let read = ["-C", "-t", topic ?? "kcat-ours", "-o", "beginning", "-e", "-f"]
      let lines = try await Kcat.run(read + ["%k %S %h\n"], port: kafka.port).split(separator: "\n")
      let sizes = ForeignText.all.map(\.utf8.count) + [3, 4]
      #expect(lines == sizes.enumerated().map { "kcat-ours \($1) \($0 == sizes.count - 1 ? "a=é,b=" : "")"[...] })
      let values = try await Kcat.run(read + ["%s"], port: kafka.port)
      // What is no UTF-8 is shown as that.
      #expect(values.contains(ForeignText.all.joined()) && values.hasSuffix("Alast"))
    }
  }

  private func publish(_ bytes: [UInt8], _ arguments: [String], _ kafka: KafkaServer) async throws {
    let folder = try TemporaryFolder()
    // A file is one message as it is, where lines of the input would be one each.
    try await Kcat.run(["-P"] + arguments + [folder.write(bytes, to: "message")], port: kafka.port)
  }
}
