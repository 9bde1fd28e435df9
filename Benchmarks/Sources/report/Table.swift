//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What was measured, as Markdown.
struct Table {
  let measurements: Measurements

  var text: String {
    var blocks = ["# Results", introduction, "![Latency, deliveries a second and CPU per delivery](results.svg)"]
    let loaded = measurements.scenarios.filter(\.hasDeliveries)
    if !loaded.isEmpty { blocks += ["## The server under load", load(loaded), notes] }
    for idle in measurements.scenarios where !idle.hasDeliveries { blocks += ["## Idle subscribers", memory(idle)] }
    if !measurements.brokers.isEmpty { blocks += BrokerTable(brokers: measurements.brokers).blocks }
    if let fanout = measurements.fanout { blocks += ["## The fan-out in a process", explanation, table(fanout)] }
    blocks += HistoryTable(rows: measurements.history).blocks
    blocks += ["## Machine and versions", machine]
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private let introduction = """
    Written by `make bench`, which measures again and replaces this file. Each number is a median, with the least and the
    most in brackets. The load generator and the server share one machine: times hold for it alone, and compare only with
    what was measured beside them.
    """

  private let notes = """
    Each run has a fresh `broadcast serve` on the memory backend, with its default options, and `broadcast bench` with the
    arguments shown; the scenarios take turns. Messages have 128 bytes. The latency of a delivery is the time from just
    before the message's `POST /push` to its receipt by that subscriber. A message is in flight until it is answered and
    all subscribers have it. Each delivery is checked: a run with one that was lost, doubled, out of order or damaged ends
    `make bench` with an error. CPU is user and system time together; that of the server includes what the kernel does to
    deliver over the loopback interface.
    """

  private let explanation = """
    One publisher and many subscribers in one process, without a network: messages of 128 bytes in bursts, and all
    subscribers have a burst before the next one begins. "AsyncStream each" is what one writes without a library: a
    bounded `AsyncStream` for each subscriber. The numbers are nanoseconds of CPU for a delivery.
    """

  private func load(_ scenarios: [Scenario]) -> String {
    let rows = scenarios.map { scenario -> [String] in
      [
        scenario.name.split(separator: "|").joined(separator: ", "), "`\(scenario.arguments)`",
        cell(scenario) { $0.deliveriesPerSecond },
        cell(scenario) { $0.messagesPerSecond }, Numbers.time(scenario.median { $0.latencyMicroseconds?.p50 }),
        Numbers.time(scenario.median { $0.latencyMicroseconds?.p99 }),
        Numbers.time(scenario.median { $0.latencyMicroseconds?.p999 }),
        cell(scenario) { $0.server?.cpuMicrosecondsPerDelivery },
        Numbers.text(scenario.median { $0.server?.cpuMicrosecondsPerMessage }),
        Numbers.text(scenario.median { $0.cpuMicrosecondsPerDelivery }),
      ]
    }
    return Markdown.table(
      [
        "scenario", "arguments", "deliveries/s", "messages/s", "p50", "p99", "p99.9", "server's CPU µs per delivery",
        "per message", "generator's CPU µs per delivery",
      ], rows, textColumns: 2)
  }

  private func memory(_ scenario: Scenario) -> String {
    let bytes = cell(scenario) { $0.server?.bytesPerIdleSubscriber }
    let count = Numbers.grouped(scenario.runs.first?.subscribers ?? 0)
    return """
      \(count) WebSockets that wait cost the server **\(bytes) bytes** of memory each: its resident memory with all of
      them, less that before the first, divided by their number. What the kernel holds for a socket is not in it. The
      arguments: `\(scenario.arguments)`.
      """
  }

  private func table(_ fanout: Fanout) -> String {
    let contenders = [
      ("batches", "ours, in batches"), ("elements", "ours, one by one"), ("streams", "AsyncStream each"),
    ]
    var shapes: [[Int]] = []
    for row in fanout.results where !shapes.contains([row.subscribers, row.burst]) {
      shapes.append([row.subscribers, row.burst])
    }
    let rows = shapes.map { shape in
      shape.map(Numbers.grouped)
        + contenders.map { contender, _ in
          let row = fanout.results.first { [$0.subscribers, $0.burst] == shape && $0.contender == contender }
          return row.map { $0.cpuNanoseconds.cell } ?? "–"
        }
    }
    return Markdown.table(["subscribers", "burst"] + contenders.map { "CPU ns, \($0.1)" }, rows, textColumns: 0)
  }

  private var machine: String {
    Markdown.table(["", ""], measurements.machine.map { [$0.name, $0.value] }, textColumns: 2)
  }

  private func cell(_ scenario: Scenario, _ number: (Run) -> Double?) -> String {
    guard let spread = scenario.spread(number) else { return "–" }
    let median = Numbers.text(scenario.median(number))
    if scenario.runs.count == 1 { return median }
    return "\(median) (\(Numbers.text(spread.lowerBound))–\(Numbers.text(spread.upperBound)))"
  }
}
