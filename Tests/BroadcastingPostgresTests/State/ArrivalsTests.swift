//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingPostgres

@Suite("Notifications become messages")
struct ArrivalsTests {
  /// An event in a form that can be compared.
  private enum Told: Equatable {
    case messages([Message], Channel)
    case missed(Channel)
    case probe(UInt64)

    init(_ event: Arrivals.Event) {
      switch event {
      case .messages(let deliveries, let channel):
        let messages = deliveries.compactMap { if case .message(let message) = $0 { message } else { nil } }
        self = .messages(messages, channel)
      case .missed(let channel): self = .missed(channel)
      case .probe(let number): self = .probe(number)
      }
    }
  }

  private struct Bench {
    var arrivals: Arrivals
    var events: [Told] = []

    init(isTextValid: Bool = true) {
      arrivals = Arrivals(probeName: ChannelName("probe".utf8), isTextValid: isTextValid)
      for channel in ["a", "b"] as [Channel] { arrivals.listen(to: channel) }
    }

    mutating func add(_ payload: some Sequence<UInt8>, on name: String = "a", from sender: Int32 = 1) {
      var new: [Told] = []
      Array(name.utf8).withUnsafeBufferPointer { name in
        Array(payload).withUnsafeBufferPointer { payload in
          arrivals.add(name: name, payload: payload, sender: sender) { new.append(Told($0)) }
        }
      }
      events += new
    }

    mutating func add(_ text: String, on name: String = "a", from sender: Int32 = 1) {
      add(text.utf8, on: name, from: sender)
    }

    mutating func flushed() -> [Told] {
      var new: [Told] = []
      arrivals.flush { new.append(Told($0)) }
      events += new
      return events
    }
  }

  @Test("those of one channel that come together are given out together")
  func runs() {
    var bench = Bench()
    for (text, name) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")] { bench.add(text, on: name) }
    #expect(
      bench.flushed() == [
        .messages([Message("1", to: "a"), Message("2", to: "a")], "a"), .messages([Message("3", to: "b")], "b"),
        .messages([Message("4", to: "a")], "a"),
      ])
  }

  @Test("what nobody listens to is left")
  func unknown() {
    var bench = Bench()
    bench.add("x", on: "c")
    bench.arrivals.forget("a")
    bench.add("x", on: "a")
    #expect(bench.flushed().isEmpty)
  }

  @Test("a probe is a probe, and nothing else on its channel is")
  func probe() {
    var bench = Bench()
    bench.add("17", on: "probe")
    bench.add("x", on: "probe")
    #expect(bench.flushed() == [.probe(17)])
  }

  @Test("a long name arrives as the channel")
  func longName() {
    var bench = Bench()
    let channel = Channel(String(repeating: "n", count: 100))
    bench.arrivals.listen(to: channel)
    bench.add("x", on: String(decoding: ChannelName(of: channel).bytes, as: UTF8.self))
    #expect(bench.flushed() == [.messages([Message("x", to: channel)], channel)])
  }

  @Test("envelopes are opened, and what only looks like one is delivered as it is")
  func envelopes() {
    var bench = Bench()
    let binary = Message([0, 255], to: "a", headers: [.init("h", "v")])
    bench.add(Envelope.encode(binary, for: .text))
    bench.add("\u{2}bc1x")
    bench.add("\u{2}bc1p1 2 1 5 none")
    #expect(
      bench.flushed() == [
        .messages([binary, Message("\u{2}bc1x", to: "a"), Message("\u{2}bc1p1 2 1 5 none", to: "a")], "a")
      ])
  }

  @Test("parts are a message with the last of them")
  func parts() {
    var bench = Bench()
    bench.add("other", from: 2)
    bench.add("\u{2}bc1p1 1 2 4 ab")
    bench.add("\u{2}bc1p1 2 2 4 cd")
    #expect(bench.flushed() == [.messages([Message("other", to: "a"), Message("abcd", to: "a")], "a")])
  }

  @Test(
    "whatever comes between parts shows that the rest is missing", arguments: [("7", "probe"), ("x", "c"), ("x", "b")])
  func between(text: String, name: String) {
    var bench = Bench()
    bench.add("\u{2}bc1p1 1 2 4 ab")
    bench.add(text, on: name, from: 2)
    #expect(bench.events.first == .missed("a"))
  }

  @Test("what a sender begins and does not end is a gap where it should have been")
  func broken() {
    var bench = Bench()
    bench.add("before")
    bench.add("\u{2}bc1p1 1 2 4 ab")
    bench.add("behind")
    #expect(
      bench.flushed() == [
        .messages([Message("before", to: "a")], "a"), .missed("a"), .messages([Message("behind", to: "a")], "a"),
      ])
  }

  @Test("where the database does not check text, what is not UTF-8 is binary")
  func unchecked() {
    var bench = Bench(isTextValid: false)
    bench.add([0xFF, 0x61])
    bench.add("text")
    #expect(bench.flushed() == [.messages([Message([0xFF, 0x61], to: "a"), Message("text", to: "a")], "a")])
  }
}
