//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The report of a run")
struct BenchReportTests {
  private func measurement(_ latencies: [UInt64], seconds: UInt64, cpu: UInt64, messages: Int) -> Measurement {
    var measurement = Measurement()
    measurement.start(at: 1_000, cpu: 500)
    for (index, latency) in latencies.enumerated() { measurement.delivered(after: latency, isLast: index % 2 == 1) }
    for _ in 0..<messages { measurement.answered(after: 250_000) }
    measurement.end(at: 1_000 + seconds * 1_000_000_000, cpu: 500 + cpu, messages: messages)
    return measurement
  }

  private func result(
    _ change: (inout BenchOptions) -> Void = { _ in }, counts: DeliveryChecker.Counts? = nil, lost: Int = 0,
    cuts: LoadTest.Cuts = .init(), isMeasured: Bool = true, server: BenchResult.ServerUsage? = nil,
    failure: Failure? = nil, interruption: Int32? = nil
  ) -> BenchResult {
    var options = BenchOptions()
    options.subscribers = 2
    options.messages = 4
    change(&options)
    let latencies: [UInt64] = [100_000, 120_000, 180_000, 400_000, 1_000_000, 1_200_000, 2_500_000, 6_000_000]
    return BenchResult(
      options: options, counts: counts ?? .init(expected: 8, delivered: 8), lost: lost, cuts: cuts,
      measurement: isMeasured ? measurement(latencies, seconds: 2, cpu: 16_000, messages: 4) : Measurement(),
      server: server, failure: failure, interruption: interruption)
  }

  private var server: BenchResult.ServerUsage {
    .init(cpu: 40_000, residentBytesBefore: 10_000_000, residentBytesIdle: 10_012_800, residentBytesAfter: 12_582_912)
  }

  @Test("the table says what was done, how fast, how late and how right")
  func table() {
    #expect(
      BenchTable(result(server: server)).text == """
        2 subscribers, 4 messages of 128 bytes, 16 in flight, 16 connections to publish, 1 channel

        deliveries/s  4.00
        messages/s    2.00
        deliveries       8
        seconds       2.00

        latency           p50      p99    p99.9      max
        a delivery     400 µs  6.00 ms  6.00 ms  6.00 ms
        last delivery  400 µs  6.00 ms  6.00 ms  6.00 ms
        answer         250 µs   250 µs   250 µs   250 µs

        latency        deliveries
        up to 150 µs       25.0 %  ████████████████████████████████████████
        up to 200 µs       12.5 %  ████████████████████
        up to 300 µs        0.0 %
        up to 500 µs       12.5 %  ████████████████████
        up to 700 µs        0.0 %
        up to 1.00 ms      12.5 %  ████████████████████
        up to 1.50 ms      12.5 %  ████████████████████
        up to 2.00 ms       0.0 %
        up to 3.00 ms      12.5 %  ████████████████████
        up to 5.00 ms       0.0 %
        more               12.5 %  ████████████████████

        lost             0
        doubled          0
        out of order     0
        damaged          0
        subscribers cut  0

        CPU of this program   2.00 µs per delivery
        CPU of the server     5.00 µs per delivery
                              10.00 µs per message
        memory of the server  6.25 KiB per idle subscriber
                              12.0 MiB at the end

        """)
  }

  @Test("the table names what was wrong")
  func faults() {
    let text = BenchTable(
      result(
        counts: .init(expected: 8, delivered: 7, doubled: 2, outOfOrder: 3, damaged: 4), lost: 1_234,
        cuts: .init(count: 1, reason: "closed with 4000: missed"))
    ).text
    #expect(
      text.contains(
        """
        lost             1,234
        doubled              2
        out of order         3
        damaged              4
        subscribers cut      1  the first: closed with 4000: missed

        """))
  }

  @Test("a run without messages has no rates")
  func onlyConnected() {
    #expect(
      BenchTable(result({ $0.messages = 0 }, counts: .init(), isMeasured: false, server: server)).text == """
        2 subscribers, 0 messages of 128 bytes, 16 in flight, 16 connections to publish, 1 channel

        lost             0
        doubled          0
        out of order     0
        damaged          0
        subscribers cut  0

        memory of the server  6.25 KiB per idle subscriber
                              12.0 MiB at the end

        """)
  }

  @Test("a rate stands in the place of the messages in flight")
  func rate() {
    let text = BenchTable(
      result {
        $0.rate = 5_000
        $0.size = 2_048
      }
    ).text
    #expect(text.hasPrefix("2 subscribers, 4 messages of 2.00 KiB, 5,000 messages/s, 16 connections"))
  }

  @Test("when the one thread was busy all the time the table says so")
  func busy() {
    var busy = Measurement()
    busy.start(at: 0, cpu: 0)
    busy.delivered(after: 1_000, isLast: true)
    busy.end(at: 1_000_000, cpu: 960_000, messages: 1)
    let result = BenchResult(
      options: BenchOptions(), counts: .init(), lost: 0, cuts: .init(), measurement: busy, server: nil, failure: nil,
      interruption: nil)
    #expect(BenchTable(result).text.hasSuffix("This program was busy 96 % of the time: the server can do more.\n"))
  }

  @Test("the JSON is one line, and has everything")
  func json() {
    #expect(
      BenchJSON(result(server: server)).text == """
        {"subscribers":2,"messages":4,"size":128,"inFlight":16,"rate":null,"connections":16,"channels":1,\
        "isComplete":true,"seconds":2.0000,"messagesPerSecond":2.0,"deliveries":8,"deliveriesPerSecond":4.0,\
        "latencyMicroseconds":{"min":100.0,"p50":400.4,"p90":6000.0,"p99":6000.0,"p999":6000.0,"max":6000.0},\
        "lastDeliveryMicroseconds":{"min":120.0,"p50":400.4,"p90":6000.0,"p99":6000.0,"p999":6000.0,"max":6000.0},\
        "answerMicroseconds":{"min":250.0,"p50":250.0,"p90":250.0,"p99":250.0,"p999":250.0,"max":250.0},\
        "histogram":[[100.0,1],[125.9,1],[199.5,1],[446.7,1],[1000.0,1],[1258.9,1],[2511.9,1],[6309.6,1]],\
        "lost":0,"doubled":0,"outOfOrder":0,"damaged":0,"subscribersCut":0,"cutBecause":null,\
        "cpuMicrosecondsPerDelivery":2.000,"cpuShare":0.000,"server":{"cpuSeconds":0.0000,\
        "cpuMicrosecondsPerDelivery":5.000,"cpuMicrosecondsPerMessage":10.000,"bytesPerIdleSubscriber":6400,\
        "residentBytesBefore":10000000,"residentBytesIdle":10012800,"residentBytesAfter":12582912},\
        "error":null,"exitCode":0}

        """)
  }

  @Test("in JSON what was not measured is null, and texts are escaped")
  func jsonNull() {
    let text = BenchJSON(
      result(
        { $0.rate = 7 }, counts: .init(), cuts: .init(count: 1, reason: "a \"word\""), isMeasured: false,
        failure: Failure("no\nline", .notConnected))
    ).text
    for part in [
      #""inFlight":null,"rate":7"#, #""isComplete":false"#, #""messagesPerSecond":null"#,
      #""latencyMicroseconds":null"#,
      #""histogram":[]"#, #""cutBecause":"a \"word\"""#, #""server":null"#, #""error":"no\nline","exitCode":7"#,
    ] { #expect(text.contains(part), "\(part)") }
  }

  @Test("the exit code tells a wrong delivery, a failure and a signal apart")
  func exitCodes() {
    #expect(result().exitCode == .success)
    #expect(result(lost: 1).exitCode == .failure)
    #expect(result(counts: .init(doubled: 1)).exitCode == .failure)
    #expect(result(counts: .init(outOfOrder: 1)).exitCode == .failure)
    #expect(result(counts: .init(damaged: 1)).exitCode == .failure)
    #expect(result(cuts: .init(count: 1, reason: "")).exitCode == .failure)
    #expect(result(lost: 1, failure: Failure("", .refused)).exitCode == .refused)
    #expect(result(interruption: 2).exitCode.rawValue == 130)
    #expect(result(interruption: 15).exitCode.rawValue == 143)
  }

  @Test("a bar ends in eighths of a block, and a small share is not nothing")
  func bars() {
    #expect(BenchTable.bar(0) == "")
    #expect(BenchTable.bar(0.000_1) == "▏")
    #expect(BenchTable.bar(0.5).count == 20)
    #expect(BenchTable.bar(1.0 / 64) == "▋")
    #expect(BenchTable.bar(1).allSatisfy { $0 == "█" })
  }

  @Test("the edges of the histogram are as fine as the rows let them be")
  func edges() {
    #expect(LatencyScale.edges(from: 120_000, to: 900_000, rows: 14) == [150_000, 200_000, 300_000, 500_000, 700_000])
    #expect(LatencyScale.edges(from: 1_000, to: 900_000_000, rows: 14).count < 14)
    #expect(LatencyScale.edges(from: 1_000, to: 100_000_000_000, rows: 14).count < 14)
    #expect(LatencyScale.edges(from: 5, to: 5, rows: 14).isEmpty)
    #expect(LatencyScale.fine.count == 160)
    #expect(zip(LatencyScale.fine, LatencyScale.fine.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("numbers are written as people read them")
  func numbers() {
    #expect([0, 999, 1_000, 1_234_567, -1_000].map(Numbers.grouped) == ["0", "999", "1,000", "1,234,567", "-1,000"])
    #expect(
      [0, 0.004, 1.005, 9.994, 9.996, 99.96, 1_234.5].map { Numbers.significant($0) }
        == ["0.00", "0.00", "1.00", "9.99", "10.0", "100", "1,235"])
    #expect(Numbers.fixed(-0.5, 2) == "-0.50")
    #expect(Numbers.fixed(.infinity, 1) == "-")
    #expect(
      [0, 850, 999_499, 999_500, 5_610_000, 999_500_000, 61_200_000_000].map { Numbers.time(nanoseconds: $0) }
        == ["0.00 µs", "0.85 µs", "999 µs", "1.00 ms", "5.61 ms", "1.00 s", "61.2 s"])
    #expect(
      [0, 1_023, 6_390, 20_000_000].map { Numbers.bytes($0) } == ["0 bytes", "1023 bytes", "6.24 KiB", "19.1 MiB"])
  }

  @Test("progress is told by phase")
  func progress() {
    var state = ProgressLine.State(
      opened: 1_500, subscribers: 2_000, published: 700, messages: 1_000, deliveries: 9, median: 610_000)
    #expect(ProgressLine.text(.starting, state, deliveriesPerSecond: nil) == nil)
    #expect(
      ProgressLine.text(.connecting, state, deliveriesPerSecond: 0) == "connecting: 1,500 of 2,000 subscribers")
    #expect(ProgressLine.text(.settling, state, deliveriesPerSecond: 0) == "connected: 1,500 subscribers")
    #expect(
      ProgressLine.text(.warmingUp, state, deliveriesPerSecond: nil) == "warming up: 700 of 1,000 messages")
    #expect(
      ProgressLine.text(.measuring, state, deliveriesPerSecond: 1_234_567)
        == "measuring: 700 of 1,000 messages, 1,234,567 deliveries/s, p50 610 µs")
    state.median = nil
    #expect(
      ProgressLine.text(.measuring, state, deliveriesPerSecond: 1)
        == "measuring: 700 of 1,000 messages, 1.00 deliveries/s")
  }
}
