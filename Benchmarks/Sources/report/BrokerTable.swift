//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What was measured over the brokers, as Markdown.
struct BrokerTable {
  let brokers: [BrokerMeasurements]

  var blocks: [String] {
    ["## The brokers", explanation, goals]
      + brokers.flatMap { broker in
        ["### \(broker.name)", throughput(broker)] + (broker.runs[.cRoundTrip] == nil ? [] : [roundTrips(broker)])
      }
  }

  var goals: String {
    let rows = brokers.flatMap(BrokerGoal.goals).map {
      [$0.what, Numbers.text($0.measured), $0.wanted, $0.isReached ? "yes" : "**no**"]
    }
    return Markdown.table(["beside the C program", "ratio", "wanted", "reached"], rows, textColumns: 1)
  }

  private let explanation = """
    One process publishes and subscribes to the same channel, beside a broker on the same machine, over TCP: messages of
    120 bytes of text. 64 tasks each await their publishes, of one message or of 64 as one step, and each message is
    checked to have come to the subscription once and in its publisher's order. `c-redis`, `c-postgres` and `c-kafka`
    are C programs that do nothing else: on Redis with 64 messages in flight, on PostgreSQL with one transaction under
    way, on Kafka by librdkafka with as many in flight as ours, and with ours' properties for batching, idempotence and
    fetching. They take turns with ours, and a ratio is that of two runs of one round; the table has the median. CPU is
    the program's own, user and system time together, for publishing and receiving; what the broker takes is not in it.
    On PostgreSQL all programs write the time into each message and keep its latency, until the subscription has it.
    Kafka is one node with one partition, and ours has all channels in one topic there unless the line says otherwise.
    """

  private func throughput(_ broker: BrokerMeasurements) -> String {
    let ways = BrokerWay.throughputs.filter { broker.runs[$0] != nil }
    let hasLatencies = ways.contains { !broker.values($0, \.p50).isEmpty }
    let rows = ways.map { way in
      [
        way.who, broker.broker.pace(of: way), cell(broker.values(way, \.messagesPerSecond)),
        ratio(broker, way, \.messagesPerSecond), cell(broker.values(way, \.cpuMicrosecondsPerMessage)),
        ratio(broker, way, \.cpuMicrosecondsPerMessage),
      ] + (hasLatencies ? latencies(broker, way) : [])
    }
    return Markdown.table(
      ["who", "how", "messages/s", "to C", "CPU µs for a message", "to C"] + (hasLatencies ? ["p50", "p99"] : []), rows,
      textColumns: 2)
  }

  private func latencies(_ broker: BrokerMeasurements, _ way: BrokerWay) -> [String] {
    [Numbers.time(broker.values(way, \.p50).median), Numbers.time(broker.values(way, \.p99).median)]
  }

  private func ratio(_ broker: BrokerMeasurements, _ way: BrokerWay, _ number: (BrokerRun) -> Double) -> String {
    guard let reference = broker.broker.reference(of: way) else { return "" }
    return Numbers.text(broker.ratios(way, to: reference, number).median)
  }

  private func roundTrips(_ broker: BrokerMeasurements) -> String {
    let rows = BrokerWay.roundTrips.filter { broker.runs[$0] != nil }.map { way in
      [
        way.who
      ] + latencies(broker, way) + [cell(broker.values(way, \.cpuMicrosecondsPerMessage))]
    }
    return Markdown.table(["round trip", "p50", "p99", "CPU µs"], rows, textColumns: 1)
  }

  private func cell(_ values: [Double]) -> String {
    guard let least = values.min(), let most = values.max() else { return "–" }
    return "\(Numbers.text(values.median)) (\(Numbers.text(least))–\(Numbers.text(most)))"
  }
}
