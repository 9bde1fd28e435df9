//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("broadcast bench as a process", .timeLimit(.minutes(3)))
struct BenchTests {
  private func bench(_ arguments: String...) async throws -> ChildProcess {
    try await ServerProcess.command(["bench"] + arguments)
  }

  @Test("a server that delivers all is right, and is measured")
  func right() async throws {
    let server = try await ServerProcess()
    let run = try await bench(
      server.url, "-s", "20", "-m", "500", "--warm-up", "50", "--pid", "\(server.identifier ?? 0)")
    #expect(try await run.exit() == .code(0))
    // How wide a column is depends on the numbers in it.
    let text = run.transcript().map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: "\n")
    for part in [
      "20 subscribers, 500 messages of 128 bytes, 16 in flight", "deliveries 10,000", "a delivery ", "lost 0",
      "subscribers cut 0",
    ] { #expect(text.contains(part), "\(part) in \(text)") }
    #if os(Linux)
      #expect(text.contains("CPU of the server"))
      #expect(text.contains("per idle subscriber"))
    #endif
    try await server.stop()
  }

  @Test(
    "the JSON is one that others can read", .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
    arguments: [
      ["--size", "100KiB", "--channels", "3"], ["--rate", "2000", "--connections", "5"], ["-f", "1", "-s", "0"],
    ])
  func json(extra: [String]) async throws {
    let server = try await ServerProcess()
    let run = try await ServerProcess.command(
      ["bench", server.url, "-s", "9", "-m", "300", "--warm-up", "10", "--json"] + extra)
    #expect(try await run.exit() == .code(0))
    let output = run.transcript()
    #expect(output.count == 1)
    let reader = try await ChildProcess(
      Tool.python.path,
      [
        "-c",
        """
        import json, sys
        run = json.loads(sys.argv[1])
        subscribers = run["subscribers"] // run["channels"]
        assert run["deliveries"] == 300 * subscribers, run
        assert run["isComplete"] and run["exitCode"] == 0 and run["error"] is None, run
        assert sum(count for edge, count in run["histogram"]) == run["deliveries"], run
        assert [run[name] for name in ("lost", "doubled", "outOfOrder", "damaged", "subscribersCut")] == [0] * 5, run
        if subscribers: assert 0 < run["latencyMicroseconds"]["p50"] <= run["latencyMicroseconds"]["max"], run
        """, output.first ?? "",
      ])
    #expect(try await reader.exit() == .code(0), "\(reader.transcript(.errors))")
    try await server.stop()
  }

  @Test("without a scheme, by a name that has another address too, and with a slash behind it")
  func byName() async throws {
    let server = try await ServerProcess()
    let run = try await bench("localhost:\(server.port)/", "-s", "3", "-m", "20", "--warm-up", "0")
    #expect(try await run.exit() == .code(0))
    try await server.stop()
  }

  @Test(
    "through a proxy with TLS, which ends a connection after a thousand requests",
    .enabled(if: Tool.nginx.isWanted, "nginx is missing"))
  func secure() async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    let run = try await bench(
      proxy.url, "--ca-file", certificates.authority, "-s", "3", "-m", "2500", "--warm-up", "10", "--connections", "2",
      "--json")
    #expect(try await run.exit() == .code(0), "\(run.transcript(.errors))")
    #expect(run.transcript().joined().contains("\"deliveries\":7500,"))
    let distrustful = try await bench(proxy.url)
    #expect(try await distrustful.exit() == .code(60), "\(distrustful.transcript(.errors))")
    try await server.stop()
  }

  @Test(
    "each fault of a server is found and named, and the exit code is 1",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
    arguments: [
      ("drop", "\"lost\":1,\"doubled\":0,\"outOfOrder\":0,\"damaged\":0,\"subscribersCut\":0"),
      ("double", "\"lost\":0,\"doubled\":1,\"outOfOrder\":0,\"damaged\":0,\"subscribersCut\":0"),
      ("swap", "\"lost\":0,\"doubled\":0,\"outOfOrder\":1,\"damaged\":0,\"subscribersCut\":0"),
      ("damage", "\"lost\":1,\"doubled\":0,\"outOfOrder\":0,\"damaged\":1,\"subscribersCut\":0"),
      ("shorten", "\"lost\":1,\"doubled\":0,\"outOfOrder\":0,\"damaged\":1,\"subscribersCut\":0"),
      ("binary", "\"lost\":1,\"doubled\":0,\"outOfOrder\":0,\"damaged\":1,\"subscribersCut\":0"),
      ("cut", "\"subscribersCut\":1,\"cutBecause\":\"closed with 4000: missed messages\""),
    ])
  func faults(fault: String, found: String) async throws {
    let (server, port) = try await faulty(fault)
    let run = try await bench(
      "127.0.0.1:\(port)", "-s", "3", "-m", "40", "--warm-up", "0", "-f", "4", "--connections", "1", "--timeout",
      "500ms",
      "--json")
    #expect(try await run.exit() == .code(1))
    let output = run.transcript().joined()
    #expect(output.contains(found), "\(output)")
    #expect(output.contains("\"error\":null"), "\(output)")
    _ = server
  }

  @Test(
    "a server that closes each connection behind its answer is used all the same",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"), arguments: ["none", "close"])
  func closing(fault: String) async throws {
    let (server, port) = try await faulty(fault)
    let run = try await bench("127.0.0.1:\(port)", "-s", "3", "-m", "40", "--warm-up", "5", "--json")
    #expect(try await run.exit() == .code(0), "\(run.transcript(.errors))")
    #expect(run.transcript().joined().contains("\"deliveries\":120,"))
    _ = server
  }

  @Test(
    "what ends a run early has curl's exit code and a reason",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
    arguments: [
      ("refuse", 22, "POST /push was answered 429 Too Many Requests: slower, please"),
      ("forbid", 22, "GET /events was answered 403 Forbidden: not you"), ("hang", 28, "nothing came"),
      ("mute", 28, "nothing came"), ("abort", 56, "without an answer"),
    ])
  func failures(fault: String, code: Int32, reason: String) async throws {
    let (server, port) = try await faulty(fault)
    let run = try await bench(
      "127.0.0.1:\(port)", "-s", "3", "-m", "40", "--warm-up", "0", "-f", "2", "--timeout", "500ms")
    #expect(try await run.exit() == .code(code))
    #expect(run.transcript(.errors).contains { $0.contains(reason) }, "\(run.transcript(.errors))")
    _ = server
  }

  @Test("what can't begin says why, and prints no table")
  func impossible() async throws {
    // A port that was free a moment ago, and that nobody listens on.
    let server = try await ServerProcess()
    let url = server.url
    try await server.stop()
    for (target, code, reason) in [
      (url, 7, "refused"), ("http://no-such-host.invalid", 6, "look-up"), ("http://a:b", 3, "port"),
      ("memory://", 1, "running server"),
    ] as [(String, Int32, String)] {
      let run = try await bench(target)
      #expect(try await run.exit() == .code(code), "\(target)")
      #expect(run.transcript(.errors).contains { $0.contains(reason) }, "\(run.transcript(.errors))")
      #expect(run.transcript().isEmpty)
    }
  }

  @Test("Ctrl-C prints what was measured until then")
  func interrupt() async throws {
    let server = try await ServerProcess()
    let run = try await bench(server.url, "-s", "5", "-m", "900000000", "--json")
    try await run.line(.errors, containing: "measuring")
    run.signal(.interrupt)
    #expect(try await run.exit() == .code(130))
    let output = run.transcript().joined()
    #expect(output.contains("\"isComplete\":false"))
    #expect(output.contains("\"lost\":0,\"doubled\":0"))
    #expect(output.contains("\"deliveriesPerSecond\":") && !output.contains("\"deliveriesPerSecond\":null"))
    try await server.stop()
  }

  @Test("a server that dies ends the run at once")
  func death() async throws {
    let server = try await ServerProcess()
    let run = try await bench(server.url, "-s", "5", "-m", "900000000", "--json")
    try await run.line(.errors, containing: "measuring")
    try await server.kill()
    #expect(try await run.exit() == .code(56))
    #expect(run.transcript().joined().contains("\"isComplete\":false"))
  }

  private func faulty(_ fault: String) async throws -> (ChildProcess, port: String) {
    let server = try await PythonProgram.faulty.start([fault])
    let line = try await server.line(containing: "port ")
    return (server, String(line.dropFirst("port ".count)))
  }
}
