//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer
import TestSupport
import Testing

@testable import broadcast

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Counters and events in the log")
struct CountersTests {
  @Test("there is a line when something has happened, and none when only a size changed")
  func changes() {
    var line = CountersLine()
    var statistics = BroadcastStatistics()
    #expect(line.fields(for: statistics) == nil)
    for change in [\BroadcastStatistics.published, \.delivered, \.dropped, \.gaps, \.reconnects] {
      statistics[keyPath: change] += 1
      #expect(line.fields(for: statistics) != nil)
      #expect(line.fields(for: statistics) == nil)
    }
    statistics.bytesHeld = 7
    statistics.probeDelay = .microseconds(412)
    #expect(line.fields(for: statistics) == nil)
    statistics.published = 9
    #expect(
      line.fields(for: statistics) == [
        .init("published", 9), .init("delivered", 1), .init("dropped", 1), .init("gaps", 1), .init("reconnects", 1),
        .init("channels", 0), .init("bytes-held", 7), .init("probe-us", 412),
      ])
  }

  @Test("what happens once is always told, and what may happen thousands of times is one trouble")
  func troubles() {
    for kind in [BroadcastEvent.Kind.running, .ended, .probeSlow] {
      #expect(BrokerLog.trouble(of: BroadcastEvent(kind)) == nil)
    }
    for kind in [BroadcastEvent.Kind.connected, .connectionLost, .retrying, .refused, .resubscribed] {
      #expect(BrokerLog.trouble(of: BroadcastEvent(kind)) == .broker)
    }
    #expect(BrokerLog.trouble(of: BroadcastEvent(.refused, channel: "a")) == .channels)
    #expect(BrokerLog.trouble(of: BroadcastEvent(.retrying, pattern: ChannelPattern("a*"))) == .channels)
    #expect(BrokerLog.trouble(of: BroadcastEvent(.dropped, channel: "a", count: 1)) == .subscribers)
    let tooLarge = BroadcastError(.messageTooLarge, "It has 3 bytes.")
    #expect(BrokerLog.trouble(of: BroadcastEvent(.dropped, channel: "a", count: 1, error: tooLarge)) == .messages)
  }

  @Test("an event's parts are fields of its line, with times in round figures")
  func fields() {
    let pause = Duration(secondsComponent: 0, attosecondsComponent: 97_322_552_427_710_800)
    let cause = BroadcastError(.refused, "It broke.")
    let error = BroadcastError(.unavailable, "It broke.", isRetriable: true, underlying: cause)
    #expect(
      BrokerLog.fields(of: BroadcastEvent(.retrying, delay: pause, error: error)) == [
        .init("delay", "97ms"), .init("error", "unavailable: It broke."),
      ])
    #expect(
      BrokerLog.fields(of: BroadcastEvent(.refused, channel: "a", count: 7)) == [
        .init("channel", "a"), .init("count", 7),
      ])
    #expect(BrokerLog.fields(of: BroadcastEvent(.connected)).isEmpty)
    #expect(
      BrokerLog.fields(of: BroadcastEvent(.retrying, pattern: ChannelPattern("a*"), delay: .seconds(2))) == [
        .init("pattern", "a*"), .init("delay", "2s"),
      ])
  }

  @Test("a failed request has no more fields than it has parts, and no cause that has a line of its own")
  func failures() {
    let cause = BroadcastError(.unavailable, "Redis closed the connection.")
    let error = BroadcastError(.unavailable, "It is lost.", outcome: .notSent, underlying: cause)
    #expect(
      Serve.failureFields(of: ServerEvent(.brokerFailed, path: "/push", error: error)) == [
        .init("path", "/push"), .init("error", "unavailable: It is lost. (not sent)"),
      ])
    #expect(
      Serve.failureFields(of: ServerEvent(.brokerFailed, error: cause)) == [
        .init("error", "unavailable: Redis closed the connection.")
      ])
    #expect(
      Serve.failureFields(of: ServerEvent(.handlerFailed, path: "/x", error: error)) == [
        .init("path", "/x"), .init("error", .text("\(error)")),
      ])
  }

  @Test("thousands of refused channels are one line, and a second one at the end with the count")
  func refusedChannels() throws {
    let pipe = try Pipe()
    let log = Log(format: .text, descriptor: pipe.writing)
    let broker = BrokerLog(log: log)
    for number in 0..<5_000 { broker(BroadcastEvent(.refused, channel: Channel("c\(number)"))) }
    log.writeKept(all: true)
    pipe.closeWriting()
    defer { pipe.closeReading() }
    // All of it is there: a few lines, which a pipe holds.
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(pipe.reading, &bytes, bytes.count)
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    #expect(lines.count < 100)
    #expect(lines.first?.contains("warning broker-refused channel=c0") == true)
    #expect(lines.last?.contains(" left-out=") == true)
    #expect(lines.last?.contains("channel=c4999") == true)
  }
}
