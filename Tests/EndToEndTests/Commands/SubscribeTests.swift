//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("broadcast subscribe", .timeLimit(.minutes(3)))
struct SubscribeTests {
  private func subscribe(_ server: ServerProcess, _ arguments: String...) async throws -> ChildProcess {
    let process = try await ServerProcess.command(["subscribe", server.url] + arguments)
    try await process.line(.errors, containing: "subscribed to ")
    return process
  }

  private func push(_ text: String, to channel: String = "events", _ server: ServerProcess) async throws {
    let answer = try await Curl.run(
      ["--data-binary", text, "-H", "content-type: text/plain", "\(server.url)/push?channel=\(channel)"])
    #expect(answer.status == 200, "\(answer.body)")
  }

  @Test("each message is printed as it comes, and -n ends it")
  func prints() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscribe(server, "events", "-n2")
    try await push("one\u{1b}", server)
    #expect(try await subscriber.line() == "one\u{1b}")
    try await push("two", server)
    #expect(try await subscriber.line() == "two")
    #expect(try await subscriber.exit() == .code(0))
    #expect(subscriber.transcript(.errors) == ["broadcast: subscribed to events"])
    try await server.stop()
  }

  @Test("a reader that goes ends it at once and quietly, without another message")
  func closedPipe() async throws {
    let server = try await ServerProcess()
    let shell = try await Shell.start(
      #"broadcast subscribe "$URL" events | head -1; echo "codes ${PIPESTATUS[*]}""#, ["URL": server.url])
    try await shell.line(.errors, containing: "subscribed to events")
    try await push("one", server)
    #expect(try await shell.line() == "one")
    #expect(try await shell.line() == "codes 0 0")
    try await shell.exit()
    #expect(shell.transcript(.errors).count == 1)
    try await server.stop()
  }

  @Test(
    "several channels as JSON, one object a line",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func json() async throws {
    let server = try await ServerProcess()
    let shell = try await Shell.start(
      #"broadcast subscribe "$URL" news 'chät room' --json -n 3 | "$PYTHON" -u -c "$READ""#,
      [
        "URL": server.url, "PYTHON": try Tool.python.path,
        "READ": """
        import base64, datetime, json, sys
        for line in sys.stdin:
            message = json.loads(line)
            payload = message["payload"]
            if message.get("encoding") == "base64": payload = base64.b64decode(payload)
            age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(message["time"].replace("Z", "+00:00"))
            print(message["channel"], repr(payload), abs(age.total_seconds()) < 60)
        """,
      ])
    try await shell.line(.errors, containing: "subscribed to news, chät room")
    try await push("a \"b\"\n\u{1b}é", to: "news", server)
    #expect(try await shell.line() == #"news 'a "b"\n\x1bé' True"#)
    for arguments in [["publish", server.url, "chät room", "x"], ["publish", server.url, "news", "é", "--binary"]] {
      let publisher = try await ServerProcess.command(arguments)
      #expect(try await publisher.exit() == .code(0))
    }
    #expect(
      Set([try await shell.line(), try await shell.line()]) == ["chät room 'x' True", #"news b'\xc3\xa9' True"#])
    #expect(try await shell.exit() == .code(0))
    try await server.stop()
  }

  @Test("a server that dies and comes back is told, and so is that messages may be missing")
  func serverComesBack() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscribe(server, "events", "chat")
    try await server.kill()
    try await subscriber.line(.errors, containing: "connection lost: ")
    let again = try await ServerProcess(port: server.port)
    var channels: Set = ["events", "chat"]
    while !channels.isEmpty {
      let line = try await subscriber.line(.errors, containing: "may have been missed while the connection was lost")
      channels = channels.filter { !line.contains("messages of \($0) ") }
    }
    try await push("back", server)
    #expect(try await subscriber.line() == "back")
    try await again.stop()
  }

  #if os(Linux)
    @Test("a reader that stops costs a limited memory, and is told how many messages it missed")
    func stoppedReader() async throws {
      let server = try await ServerProcess()
      let folder = try TemporaryFolder()
      let lines = try await Shell.run(
        """
        cd "$FOLDER"
        mkfifo out
        exec 3<>out
        broadcast subscribe "$URL" events --max-backlog 1MiB >out 2>errors & subscriber=$!
        until grep -q subscribed errors; do sleep 0.05; done
        before=$(awk '/VmRSS/ {print $2}' /proc/$subscriber/status)
        seq -f '%01000.0f' 1 30000 | broadcast publish "$URL" events || echo "publish $?"
        after=$(awk '/VmRSS/ {print $2}' /proc/$subscriber/status)
        echo "grown $((after - before))"
        cat <&3 >read & reader=$!
        until grep -q missed errors; do sleep 0.05; done
        until tail -1 read | grep -q '^0*30000$'; do sleep 0.05; done
        kill $subscriber; wait $subscriber; echo "code $?"
        kill $reader
        echo "read $(wc -l <read)"
        grep -o '[0-9]* messages of events were missed' errors
        """, ["URL": server.url, "FOLDER": folder.path])
      let numbers = Dictionary(
        lines.compactMap { line -> (String, Int)? in
          let words = line.split(separator: " ")
          if words.count > 2 { return Int(words[0]).map { ("missed", $0) } }
          return words.last.flatMap { Int($0) }.map { (String(words[0]), $0) }
        }, uniquingKeysWith: +)
      // In KiB: the backlog, what waits to be written, and what the allocator keeps. The messages have 30 MB.
      #expect(try #require(numbers["grown"], "\(lines)") < 12_000)
      #expect(numbers["code"] == 143)
      #expect(try #require(numbers["read"]) + #require(numbers["missed"]) == 30_000, "\(lines)")
      try await server.stop()
    }

    @Test("output that can't be written ends it with 23")
    func fullDisk() async throws {
      let server = try await ServerProcess()
      for output in [">/dev/full", ">&-"] {
        let shell = try await Shell.start(
          #"broadcast subscribe "$URL" events \#(output); echo "code $?" >&2"#, ["URL": server.url])
        try await shell.line(.errors, containing: "subscribed to events")
        try await push("one", server)
        try await shell.line(.errors, containing: "standard output can't be written")
        #expect(try await shell.line(.errors) == "code 23")
      }
      try await server.stop()
    }
  #endif
}
