//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingPostgres

@Suite("What goes in one transaction")
struct PublishBatchTests {
  @Test("an equal message waits for the next transaction, one on another channel does not")
  func equal() {
    var batch = PublishBatch()
    #expect(batch.add(Message("x", to: "a")) == true)
    #expect(batch.add(Message("x", to: "b")) == true)
    #expect(batch.add(Message("y", to: "a")) == true)
    #expect(batch.add(Message("x", to: "a")) == false)
    #expect(batch.messages == 3)
    batch.clear()
    #expect(batch.add(Message("x", to: "a")) == true)
    #expect(batch.messages == 1)
  }

  @Test("it is full at its limit of messages")
  func manyMessages() {
    var batch = PublishBatch()
    for number in 0..<PublishBatch.maximumMessages { #expect(batch.add(Message("\(number)", to: "a")) == true) }
    #expect(batch.add(Message("one more", to: "a")) == false)
  }

  @Test("it is full at its limit of bytes, and takes one message that is larger")
  func manyBytes() {
    var batch = PublishBatch()
    let large = Message([UInt8](repeating: 0xFF, count: PublishBatch.maximumBytes), to: "a")
    #expect(batch.add(large) == true)
    #expect(batch.add(Message("more", to: "a")) == false)
    batch.clear()
    #expect(batch.add(Message("first", to: "a")) == true)
    #expect(batch.add(large) == false)
  }

  @Test("text of 7,999 bytes is one notification as it is, one byte more is parts")
  func parts() {
    var batch = PublishBatch()
    #expect(batch.add(Message(String(repeating: "x", count: 7_999), to: "a")) == true)
    #expect(batch.payloads.count == 1)
    #expect(batch.add(Message(String(repeating: "x", count: 8_000), to: "a")) == true)
    #expect(batch.payloads.count == 3)
    #expect(batch.messages == 2)
    // Their numbers tell them apart.
    #expect(batch.add(Message(String(repeating: "x", count: 8_000), to: "a")) == true)
    #expect(batch.payloads.count == 5)
  }

  @Test("a probe is no message")
  func probe() {
    var batch = PublishBatch()
    batch.add(probe: 3, on: ChannelName(of: "probe"))
    #expect(!batch.isEmpty && batch.messages == 0 && batch.probe == 3)
    batch.clear()
    #expect(batch.isEmpty && batch.probe == nil)
  }

  @Test("hashes find what is equal, and nothing else among many")
  func table() {
    var table = SentTable()
    for number in 0..<SentTable.capacity { #expect(insert([0x61], "message \(number)") == true) }
    #expect(insert([0x61], "full") == false)
    table.clear()
    #expect(insert([0x61], "message 1") == true)
    #expect(insert([0x61], "message 1") == false)
    #expect(insert([0x62], "message 1") == true)
    #expect(insert([], "amessage 1") == true)
    #expect(insert([0x61], "") == true)
    #expect(insert([0x61], "") == false)

    func insert(_ name: [UInt8], _ text: String) -> Bool {
      Array(text.utf8).withUnsafeBytes { table.insert(name, $0) }
    }
  }
}
