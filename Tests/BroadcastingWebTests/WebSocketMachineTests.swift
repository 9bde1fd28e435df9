//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("The life of a WebSocket")
struct WebSocketMachineTests {
  /// Everything that some bytes ask for.
  private func actions(_ machine: inout WebSocketMachine, _ bytes: [UInt8]) -> [WebSocketMachine.Action] {
    var actions: [WebSocketMachine.Action] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let (consumed, action) = rest.withUnsafeBytes { machine.read($0) }
      rest = rest.dropFirst(consumed)
      if let action { actions.append(action) } else { #expect(rest.isEmpty) }
    }
    return actions
  }

  @Test("the peer closes: its code goes back, and what follows is overlooked")
  func peerCloses() {
    var machine = WebSocketMachine(.server)
    let bytes = clientFrame(1, "a") + clientFrame(8, [0x03, 0xE9, 0x62]) + clientFrame(1, "late")
    #expect(
      actions(&machine, bytes) == [.deliver(.text("a")), .sendClose([0x88, 0x02, 0x03, 0xE9], thenEnd: true)])
    #expect(machine.state == .closed)
    #expect(machine.close == WebSocketClose(.peer, .goingAway, "b"))
    #expect(machine.beginClose() == nil, "a close frame is sent once")
    #expect(machine.makeFrame(.text("x")) == nil)
    machine.connectionEnded()
    #expect(machine.close?.origin == .peer)
  }

  @Test("an empty close frame is answered by an empty one")
  func emptyClose() {
    var machine = WebSocketMachine(.server)
    #expect(actions(&machine, clientFrame(8)) == [.sendClose([0x88, 0x00], thenEnd: true)])
    #expect(machine.close == WebSocketClose(.peer))
  }

  @Test("this end closes: nothing more is sent, messages are dropped, the peer's answer ends it")
  func localClose() {
    var machine = WebSocketMachine(.server)
    #expect(actions(&machine, clientFrame(9, "p")) == [.answerPing])
    #expect(machine.beginClose(.missedMessages, reason: "late") == [0x88, 0x06, 0x0F, 0xA0] + Array("late".utf8))
    #expect(machine.beginClose() == nil)
    #expect(machine.takePong() == nil)
    #expect(machine.makePing() == nil)
    #expect(machine.makeFrame(.text("x")) == nil)
    #expect(actions(&machine, clientFrame(1, "a") + clientFrame(9, "p") + clientFrame(8, [0x0F, 0xA0])) == [.end])
    #expect(machine.state == .closed)
    #expect(machine.close == WebSocketClose(.local, .missedMessages, "late"))
  }

  @Test("a fault behind this end's close frame ends it without a second one")
  func faultWhileClosing() {
    var machine = WebSocketMachine(.server)
    _ = machine.beginClose()
    #expect(actions(&machine, [0xFF, 0xFF]) == [.end])
    #expect(machine.close == WebSocketClose(.local, .normal))
  }

  @Test("a fault sends its code and ends the connection")
  func fault() {
    var machine = WebSocketMachine(.server)
    guard case .sendClose(let frame, thenEnd: true)? = actions(&machine, clientFrame(1, [0xFF])).last else {
      Issue.record("not closed")
      return
    }
    #expect(Array(frame[2..<4]) == [0x03, 0xEF])
    #expect(machine.close?.code == .invalidText)
    #expect(actions(&machine, clientFrame(1, "a")) == [])
  }

  @Test("of many pings the latest alone is answered")
  func pings() {
    var machine = WebSocketMachine(.server)
    #expect(machine.takePong() == nil)
    _ = actions(&machine, clientFrame(9, "a") + clientFrame(9, "b"))
    #expect(machine.takePong() == [0x8A, 0x01, 0x62])
    #expect(machine.takePong() == nil)
    #expect(actions(&machine, clientFrame(10, "c")) == [.pong([0x63])])
  }

  @Test("a broken connection has no code")
  func broken() {
    var machine = WebSocketMachine(.server)
    machine.connectionEnded()
    #expect(machine.close == WebSocketClose(.connection))
    #expect(machine.state == .closed)
  }

  @Test("client and server understand each other up to the end")
  func bothEnds() {
    var client = WebSocketMachine(.client)
    var server = WebSocketMachine(.server)
    #expect(actions(&server, client.makeFrame(.text("hä")) ?? []) == [.deliver(.text("hä"))])
    #expect(actions(&server, client.makePing([1]) ?? []) == [.answerPing])
    #expect(actions(&client, server.takePong() ?? []) == [.pong([1])])
    #expect(actions(&client, server.makeFrame(.binary([2])) ?? []) == [.deliver(.binary([2]))])
    guard case .sendClose(let answer, thenEnd: false)? = actions(&client, server.beginClose(.goingAway) ?? []).last
    else {
      Issue.record("the client didn't answer, or didn't wait for the server to end the connection")
      return
    }
    #expect(actions(&server, answer) == [.end])
    #expect(client.close == WebSocketClose(.peer, .goingAway))
  }
}
