//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb
import Synchronization
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("What a client finds when it starts", .timeLimit(.minutes(1)))
struct StartTests {
  /// Why a client does not start.
  private func refusal(_ url: String, patience: Duration = .seconds(60)) async throws -> BroadcastError? {
    var configuration = RemoteBroadcast.Configuration.quick()
    // If it tried again, the test's time limit would pass.
    configuration.hub.connectPatience = patience
    let broadcast = try RemoteBroadcast(url, configuration: configuration)
    return await failure { try await broadcast.run() }
  }

  @Test(
    "an answer that will not change is an error at once, which says what to look at",
    arguments: [
      (HTTPResponse.text("no", status: .unauthorized), "credentials"),
      (.text("no", status: .forbidden), "credentials"),
      (.text("no", status: .notFound), "no server of broadcasts at this URL"),
      (.html("<html>Welcome</html>"), "Is the URL right?"),
      (.empty(.found, headers: ["Location": "https://u:p@login.example/x?secret=1"]), "https://login.example/x,"),
      (.text("This is a WebSocket", status: .upgradeRequired), "Is the URL right?"),
      (.json(Array(#"{"error": {"code": "a", "message": "Not\u000ayou."}}"#.utf8), status: .forbidden), "Not you."),
    ])
  func refusedAtOnce(answer: HTTPResponse, text: String) async throws {
    try await ScriptedServer.run(answer: { _ in answer }) { server in
      let error = try await refusal(server.url)
      #expect(error?.code == .refused)
      #expect(error?.isRetriable == false)
      #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("secret") == false)
      #expect((error?.underlying as? ServerRefusal)?.status == answer.status.code)
      #expect(server.requests.count == 1)
    }
  }

  @Test("what does not speak HTTP is an error at once", arguments: ["SSH-2.0-x\r\n", "220 ready\r\n"])
  func noHTTP(greeting: String) async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loops[0])
      async let greeted: Void = withTaskExecutorPreference(loops[0]) {
        let client = try await listener.accept()
        client?.write(Array(greeting.utf8))
      }
      let error = try await refusal("http://127.0.0.1:\(sockets.addresses[0].port)")
      #expect(error?.code == .refused)
      #expect(error?.message.contains("no server of broadcasts") == true)
      try await greeted
      await listener.close()
    }
  }

  @Test("a server that is away is tried again for as long as the patience lasts")
  func triesAgain() async throws {
    try await FaultyProxy.with(to: 1) { proxy in
      await proxy.refuse()
      let error = try await refusal(proxy.url, patience: .milliseconds(50))
      #expect(error?.isRetriable == true)
      #expect((error?.underlying as? NetworkError)?.code == .refused)
    }
  }

  @Test("a server that goes in the middle of its answer is tried again")
  func cutAnswer() async throws {
    try await ScriptedServer.run { server in
      try await FaultyProxy.with(to: server.port) { proxy in
        await proxy.set(.cutInAnswer)
        let error = try await refusal(proxy.url, patience: .milliseconds(50))
        #expect(error?.code == .unavailable)
        #expect(error?.isRetriable == true)
      }
    }
  }

  @Test("a starting client takes the server that comes")
  func comesLate() async throws {
    try await ScriptedServer.run { server in
      let count = Atomic<Int>(0)
      server.answerWith { request in
        guard request.method == .get, count.wrappingAdd(1, ordering: .relaxed).newValue < 3 else { return nil }
        return .text("soon", status: .badGateway)
      }
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.hub.connectPatience = .seconds(60)
      try await withClient(server.url, configuration) { try await $0.publish("x", to: "a") }
      #expect(server.requests.count == 4)
    }
  }

  @Test("credentials, headers, base path and query go with every request; no Origin does")
  func sentWithAll() async throws {
    try await ScriptedServer.run { server in
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.headers = ["X-Tenant": "seven"]
      try await withClient("ws://user:p%40ss@127.0.0.1:\(server.port)/live/?token=a%26b", configuration) { client in
        try await client.publish("x", to: "a b&c=ä")
        _ = try await client.subscribe(to: "a")
      }
      let requests = server.requests
      #expect(
        requests.map(\.target) == [
          "/live/events?token=a%26b", "/live/push?token=a%26b&channel=a%20b%26c%3D%C3%A4",
          "/live/events?token=a%26b&channel=a&positions=true",
        ])
      for request in requests {
        #expect(request.headers["Authorization"] == "Basic dXNlcjpwQHNz")
        #expect(request.headers["X-Tenant"] == "seven")
        #expect(request.headers["Host"] == "127.0.0.1:\(server.port)")
        #expect(request.headers["Origin"] == nil)
      }
    }
  }

  @Test("an answer that is too large says so of the answer")
  func tooLarge() async throws {
    try await ScriptedServer.run(answer: { _ in .html(String(repeating: "x", count: 40 << 20)) }) { server in
      let error = try await refusal(server.url)
      #expect(error?.code == .refused)
      #expect(error?.message.contains("The answer's body is larger than") == true)
      #expect(error?.message.contains("Send less") == false)
    }
  }

  @Test("a question in a reason ends the sentence")
  func question() throws {
    let url = try ServerURL(BackendURL("http://a"))
    let asked = RemoteError.connecting(NetworkError(.reset, "it went; is it there?"), to: url)
    #expect(asked.message.hasSuffix("it went; is it there?"))
    #expect(RemoteError.connecting(NetworkError(.reset, "it went"), to: url).message.hasSuffix("it went."))
  }

  @Test("run() is called once, and not again after its end")
  func runsOnce() async throws {
    try await ScriptedServer.run { server in
      let broadcast = try RemoteBroadcast(server.url, configuration: .quick())
      try await withBroadcast(broadcast) { broadcast in
        try await broadcast.publish("x", to: "a")
        #expect(await failure { try await broadcast.run() }?.code == .alreadyRunning)
        try await broadcast.publish("y", to: "a")
      }
      #expect(await failure { try await broadcast.run() }?.code == .notRunning)
      #expect(await failure { try await broadcast.publish("z", to: "a") }?.code == .notRunning)
      #expect(server.pushes.count == 2)
    }
  }
}
