//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("broadcast publish", .timeLimit(.minutes(5)))
struct PublishTests {
  private func subscriber(_ server: ServerProcess, _ options: String...) async throws -> ChildProcess {
    let process = try await ServerProcess.command(["subscribe", server.url, "events"] + options)
    try await process.line(.errors, containing: "subscribed to events")
    return process
  }

  @Test("a message of the command line arrives, also an empty one")
  func oneMessage() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscriber(server, "-n", "3")
    for message in ["hello, wörld", "", "{\"a\": 1}"] {
      let publisher = try await ServerProcess.command(["publish", server.address, "events", message])
      #expect(try await publisher.exit() == .code(0))
      #expect(publisher.transcript().isEmpty && publisher.transcript(.errors).isEmpty)
      #expect(try await subscriber.line() == message)
    }
    #expect(try await subscriber.exit() == .code(0))
    try await server.stop()
  }

  @Test("the lines of a file arrive in order, through both ends")
  func manyLines() async throws {
    let server = try await ServerProcess()
    let folder = try TemporaryFolder()
    let lines = try await Shell.run(
      """
      set -o pipefail
      broadcast subscribe "$URL" events -n 20000 2>"$FOLDER/errors" >"$FOLDER/out" & subscriber=$!
      until grep -q subscribed "$FOLDER/errors"; do sleep 0.05; done
      seq 1 20000 >"$FOLDER/in"
      broadcast publish "$URL" events <"$FOLDER/in" || echo "publish $?"
      wait $subscriber || echo "subscribe $?"
      cmp "$FOLDER/in" "$FOLDER/out" && echo same
      cat "$FOLDER/errors"
      """, ["URL": server.url, "FOLDER": folder.path])
    #expect(lines == ["same", "broadcast: subscribed to events"])
    try await server.stop()
  }

  @Test("all of standard input arrives as one binary message, byte for byte")
  func binary() async throws {
    let server = try await ServerProcess()
    let folder = try TemporaryFolder()
    let lines = try await Shell.run(
      """
      head -c 300000 /dev/urandom >"$FOLDER/in"; printf '\\n\\0\\n' >>"$FOLDER/in"
      broadcast subscribe "$URL" events -n 1 --binary >"$FOLDER/out" 2>"$FOLDER/errors" & subscriber=$!
      until grep -q subscribed "$FOLDER/errors"; do sleep 0.05; done
      broadcast publish "$URL" events --binary <"$FOLDER/in"; echo "publish $?"
      wait $subscriber; echo "subscribe $?"
      cmp "$FOLDER/in" "$FOLDER/out" && echo same
      """, ["URL": server.url, "FOLDER": folder.path])
    #expect(lines == ["publish 0", "subscribe 0", "same"])
    try await server.stop()
  }

  @Test("a line that can't be sent ends it, and says what was sent")
  func badLine() async throws {
    let server = try await ServerProcess()
    let lines = try await Shell.run(
      """
      printf 'one\\ntwo\\n\\377\\nfour\\n' | broadcast publish "$URL" events 2>&1; echo "code ${PIPESTATUS[1]}"
      printf 'one\\nlonger\\n' | broadcast publish "$URL" events --max-message 3 2>&1; echo "code ${PIPESTATUS[1]}"
      broadcast publish "$URL" events </ 2>&1; echo "code $?"
      """, ["URL": server.url])
    #expect(
      lines == [
        "broadcast: line 3 is not UTF-8; --binary sends any bytes",
        "broadcast: lines 1 to 2 were sent, nothing from line 3 on was sent", "code 26",
        "broadcast: line 2 has more than 3 bytes, which is the limit of --max-message",
        "broadcast: line 1 was sent, nothing from line 2 on was sent", "code 22",
        "broadcast: standard input can't be read: Is a directory", "broadcast: nothing was sent", "code 26",
      ])
    try await server.stop()
  }

  @Test("when the server dies it says which lines were sent, and ends")
  func serverDies() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscriber(server)
    let publisher = try await ServerProcess.command(["publish", server.url, "events"])
    for line in ["one", "two"] {
      try publisher.send(line)
      #expect(try await subscriber.line() == line)
    }
    try await server.kill()
    try publisher.send("three")
    try await publisher.line(.errors, containing: "lines 1 to 2 were sent")
    // It depends on whether the connection's end was seen before the line was sent.
    #expect([.code(7), .code(56)].contains(try await publisher.exit()))
  }

  @Test("with --retry a line waits for the server to come back")
  func serverComesBack() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscriber(server)
    let publisher = try await ServerProcess.command(["publish", server.url, "events", "--retry"])
    try publisher.send("one")
    #expect(try await subscriber.line() == "one")
    try await server.kill()
    try publisher.send("two")
    try await publisher.line(.errors, containing: "trying again")
    try publisher.send("three")
    let again = try await ServerProcess(port: server.port)
    // Whether "two" comes before the subscriber is back, nobody can say.
    try await subscriber.line(.errors, containing: "may have been missed")
    try publisher.send("four")
    try await subscriber.line(containing: "four")
    #expect(["two", "three", "four"].suffix(subscriber.transcript().count - 1) == subscriber.transcript().dropFirst())
    try await again.stop()
  }

  @Test("SIGINT says what was sent and ends it as the signal does")
  func interrupt() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscriber(server)
    let publisher = try await ServerProcess.command(["publish", server.url, "events"])
    try publisher.send("one")
    #expect(try await subscriber.line() == "one")
    publisher.signal(.interrupt)
    #expect(try await publisher.exit() == .signal(2))
    // The subscriber may have it before the publisher has its confirmation.
    let words = ["line 1 was sent", "line 1 may have arrived"].map {
      "broadcast: \($0), nothing from line 2 on was sent"
    }
    #expect(words.contains(publisher.transcript(.errors).last ?? ""))
    try await server.stop()
  }

  @Test("SIGINT that the parent has set to be ignored, as a shell does for a background job, stays ignored")
  func ignoredInterrupt() async throws {
    let server = try await ServerProcess()
    let subscriber = try await subscriber(server)
    let folder = try TemporaryFolder()
    let shell = try await Shell.start(
      """
      trap '' INT
      mkfifo "$FOLDER/in"
      broadcast publish "$URL" events <"$FOLDER/in" & publisher=$!
      exec 3>"$FOLDER/in"
      echo one >&3
      read -r go
      kill -INT $publisher
      echo two >&3
      exec 3>&-
      wait $publisher; echo "code $?"
      """, ["URL": server.url, "FOLDER": folder.path])
    #expect(try await subscriber.line() == "one")
    try shell.send("go")
    #expect(try await subscriber.line() == "two")
    #expect(try await shell.line() == "code 0")
    try await server.stop()
  }

  @Test("an argument that is not UTF-8 is refused, not repaired")
  func badArgument() async throws {
    let lines = try await Shell.run(#"broadcast publish localhost events $'\377' 2>&1; echo "code $?""#)
    #expect(lines.first?.contains("argument 4 is not UTF-8") == true)
    #expect(lines.last == "code 2")
  }
}
