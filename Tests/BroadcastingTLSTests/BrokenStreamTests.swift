//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BrokenStreamTests {
  /// What a client gets, and how it ends, when the server does as `serve` says after the handshake.
  private func outcome(
    _ serve: @escaping @Sendable (ServerConnection) async throws -> Void,
    expect: @Sendable ([UInt8], NetworkError?) -> Void
  ) async throws {
    try await withServer {
      #expect(await $0.handshake())
      try await serve($0)
      await $0.untilEnd()
    } body: { meeting in
      let client = try await meeting.connect()
      expect(await client.rest(), await client.failure)
      #expect(await client.sawEnd)
      #expect(await client.isWritable == (client.failure == nil))
      #expect(await client.push(text("too late")))
      #expect(await client.offences == 0)
      await client.close()
    }
  }

  @Test("an end without close_notify is an error after what came, between records and within one", arguments: [0, 100])
  func truncation(bytes: Int) async throws {
    try await outcome {
      await $0.write(text("hello"))
      await $0.sendRaw(Array(await $0.encrypt(pattern(1000)).prefix(bytes)))
      await $0.finish()
    } expect: { bytes, failure in
      #expect(bytes == text("hello"))
      #expect(failure?.code == .tlsFailed)
      #expect(failure?.message.contains("close_notify") == true)
    }
  }

  @Test("a record that was changed on its way is an error, and nothing of it is delivered")
  func forgery() async throws {
    try await outcome {
      await $0.write(text("hello"))
      var record = await $0.encrypt(pattern(1000))
      record[500] ^= 1
      await $0.sendRaw(record)
    } expect: { bytes, failure in
      #expect(bytes == text("hello"))
      #expect(failure?.code == .tlsFailed)
      #expect(failure?.message.contains("damaged or forged") == true)
    }
  }

  @Test("plain text in the midst of TLS is an error")
  func plainText() async throws {
    try await outcome {
      await $0.sendRaw(text("HTTP/1.1 408 Request Timeout\r\n\r\n"))
    } expect: { bytes, failure in
      #expect(bytes == [])
      #expect(failure?.code == .tlsFailed)
    }
  }

  @Test("what comes after close_notify is never delivered")
  func dataAfterEnd() async throws {
    try await outcome {
      await $0.write(text("hello"))
      let late = await $0.encrypt(text("late"))
      await $0.closeNotify()
      await $0.sendRaw(late + text("not even TLS"))
      await $0.finish()
    } expect: { bytes, failure in
      // The sequence of records is broken where that one is missing: the end itself can't be read, or it is the end.
      #expect(bytes == text("hello"))
      #expect(failure == nil || failure?.code == .tlsFailed)
    }
  }

  @Test("plain text after close_notify is ignored")
  func textAfterEnd() async throws {
    try await outcome {
      await $0.write(text("hello"))
      await $0.closeNotify()
      await $0.sendRaw(text("not even TLS"))
      await $0.finish()
    } expect: { bytes, failure in
      #expect(bytes == text("hello"))
      #expect(failure == nil)
    }
  }

  @Test("a reset is the error that it is without TLS")
  func reset() async throws {
    let (arrived, arrive) = AsyncStream<Void>.makeStream()
    try await withServer {
      await $0.handshake()
      await $0.write(text("hello"))
      var iterator = arrived.makeAsyncIterator()
      await iterator.next()
      await $0.reset()
    } body: { meeting in
      let client = try await meeting.connect()
      #expect(await client.receive(5) == text("hello"))
      arrive.yield()
      #expect(await client.rest() == [])
      #expect(await client.failure?.code == .reset)
      await client.close()
    }
  }

  @Test("a failed write before anybody reads is told to the first who does")
  func failureBeforeReading() async throws {
    let (gone, go) = AsyncStream<Void>.makeStream()
    try await withServer {
      await $0.handshake()
      await $0.reset()
      go.yield()
    } body: { meeting in
      let client = try await meeting.connect()
      var iterator = gone.makeAsyncIterator()
      await iterator.next()
      while await client.isWritable {
        await client.push(pattern(1000))
        await Task.detached {}.value
      }
      #expect(await client.rest() == [])
      #expect(await client.failure?.code == .reset)
      await client.close()
    }
  }

  @Test("a stream is freed when it has closed, though it, its owner and the socket hold each other")
  func freed() async throws {
    try await withServer {
      await $0.handshake()
      await $0.untilEnd()
    } body: { meeting in
      let stream = try await usedAndClosed(meeting)
      // What libuv holds goes when it has called back.
      while !stream.isGone { await Task.detached {}.value }
    }
  }

  private func usedAndClosed(_ meeting: Meeting) async throws -> WeakStream {
    let client = try await meeting.connect()
    let stream = await client.identity
    #expect(!stream.isGone)
    await client.close()
    return stream
  }
}
