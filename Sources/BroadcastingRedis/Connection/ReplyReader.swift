//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CHiredis

/// Reads what a server says (RESP2), by hiredis' parser. The one file which touches C.
///
/// The parser calls back for each piece, so no tree of replies is ever made. The pieces lie in one buffer, which is used again
/// for the next reply: a message costs the allocation of its payload, by whoever keeps that.
final class ReplyReader {
  enum Kind: Equatable {
    /// A status, or a string.
    case text
    case error
    case integer
    case nothing
    /// Its pieces can be looked at. A list in a list is one piece, into which nobody looks.
    case list
  }

  /// What the server sent is not what a Redis server sends.
  struct Violation: Error, Equatable {
    let text: String
  }

  /// Redis sends no longer string (its `proto-max-bulk-len`).
  static let maximumBytes = 512 * 1_024 * 1_024
  /// How much the parser is given at a time. It moves what is left of its buffer to the front after each kilobyte that it has
  /// read, so of much more it would copy every byte many times.
  static let portion = 4_096
  /// How much of an empty buffer is kept.
  private static let keptBytes = 64 * 1_024

  private let limit: Int
  private let reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
  // Not a property: the parser's callbacks come a few times for each message, and find it without counting references.
  private let found: UnsafeMutablePointer<FoundPieces>

  /// - Parameter limit: The most bytes of a reply that is not complete.
  /// - Throws: When there is no memory.
  init(limit: Int = ReplyReader.maximumBytes) throws(Violation) {
    self.limit = limit
    functions = .allocate(capacity: 1)
    functions.initialize(to: redisReplyObjectFunctions())
    functions.pointee.createString = readerFoundString
    // Its count is an `int` up to version 0.14 and a `size_t` in later ones.
    functions.pointee.createArray = { task, _ in readerFoundList(task) }
    functions.pointee.createInteger = readerFoundInteger
    functions.pointee.createNil = readerFoundNothing
    found = .allocate(capacity: 1)
    found.initialize(to: FoundPieces())
    guard let reader = redisReaderCreateWithFunctions(functions) else {
      Self.free(functions, found)
      throw Violation(text: "no memory for a parser")
    }
    self.reader = reader
    reader.pointee.maxbuf = Self.keptBytes
    reader.pointee.privdata = UnsafeMutableRawPointer(found)
  }

  deinit {
    redisReaderFree(reader)
    Self.free(functions, found)
  }

  private static func free(
    _ functions: UnsafeMutablePointer<redisReplyObjectFunctions>, _ found: UnsafeMutablePointer<FoundPieces>
  ) {
    functions.deallocate()
    found.pointee.free()
    found.deinitialize(count: 1)
    found.deallocate()
  }

  // MARK: Reading

  /// Adds bytes as they came, at most some kilobytes at a time.
  func feed(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
    guard redisReaderFeed(reader, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count) == REDIS_OK else {
      throw violation
    }
  }

  /// What the next complete reply is. Nil when there is none yet.
  func next() throws(Violation) -> Kind? {
    if reader.pointee.pos == reader.pointee.len { return nil }
    // Not in the middle of a reply.
    if reader.pointee.ridx == -1 { found.pointee.removeAll(keeping: Self.keptBytes) }
    var object: UnsafeMutableRawPointer?
    guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw violation }
    if object != nil {
      guard let reply = found.pointee.reply else { throw Violation(text: "a reply of a kind that RESP2 does not have") }
      return reply
    }
    if reader.pointee.len - reader.pointee.pos > limit {
      throw Violation(text: "a string of more than \(limit) bytes")
    }
    return nil
  }

  /// How many pieces the last reply has: 1 where it is no list.
  var count: Int { found.pointee.pieces.count }

  /// `nothing` where there is no such piece.
  func kind(at index: Int) -> Kind { found.pointee.piece(at: index)?.kind ?? .nothing }

  /// The bytes of a piece: none where it is no text and no error, or where there is no such piece. They are gone with the call of ``next()``.
  func bytes(at index: Int) -> UnsafeRawBufferPointer {
    found.pointee.piece(at: index).map { found.pointee.bytes(of: $0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The same as text, for people.
  func text(at index: Int) -> String { String(decoding: bytes(at: index), as: UTF8.self) }

  private var violation: Violation {
    withUnsafeBytes(of: reader.pointee.errstr) { text in
      Violation(text: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
    }
  }
}

/// What the parser has found of a reply: pieces, and the bytes of all of them in one place.
private struct FoundPieces {
  struct Piece {
    var kind: ReplyReader.Kind
    var start: Int
    var count: Int
  }

  /// More than any list has that is looked at.
  private static let maximumPieces = 32

  /// Nil for a kind whose callback is not set: later versions of the parser know kinds that 0.14 has not.
  private(set) var reply: ReplyReader.Kind?
  private(set) var pieces: [Piece] = []
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var used = 0

  func piece(at index: Int) -> Piece? { pieces.indices.contains(index) ? pieces[index] : nil }

  func bytes(of piece: Piece) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[piece.start..<piece.start + piece.count])
  }

  mutating func removeAll(keeping limit: Int) {
    reply = nil
    pieces.removeAll(keepingCapacity: true)
    used = 0
    if memory.count > limit { free() }
  }

  mutating func free() {
    memory.deallocate()
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  mutating func add(_ kind: ReplyReader.Kind, _ task: UnsafePointer<redisReadTask>, _ bytes: UnsafeRawBufferPointer) {
    if let parent = task.pointee.parent {
      guard parent.pointee.parent == nil, pieces.count < Self.maximumPieces else { return }
      // Those of a kind without a callback keep their place.
      while pieces.count < min(Int(task.pointee.idx), Self.maximumPieces - 1) {
        pieces.append(Piece(kind: .nothing, start: used, count: 0))
      }
    } else {
      reply = kind
      // The pieces of a list follow.
      if kind == .list { return }
    }
    if used + bytes.count > memory.count { grow(by: bytes.count) }
    UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyMemory(from: bytes)
    pieces.append(Piece(kind: kind, start: used, count: bytes.count))
    used += bytes.count
  }

  private mutating func grow(by count: Int) {
    let more = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1_024, (used + count) * 2), alignment: 1)
    more.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<used]))
    memory.deallocate()
    memory = more
  }
}

// MARK: What the parser calls

/// Gives the parser what it takes for a reply: anything but null, which would be a lack of memory.
private func found(
  _ kind: ReplyReader.Kind, _ task: UnsafePointer<redisReadTask>?,
  _ bytes: UnsafeRawBufferPointer = .init(start: nil, count: 0)
) -> UnsafeMutableRawPointer? {
  guard let task, let data = task.pointee.privdata else { return nil }
  data.assumingMemoryBound(to: FoundPieces.self).pointee.add(kind, task, bytes)
  return data
}

private func readerFoundString(
  _ task: UnsafePointer<redisReadTask>?, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int
) -> UnsafeMutableRawPointer? {
  let kind: ReplyReader.Kind = task?.pointee.type == REDIS_REPLY_ERROR ? .error : .text
  return found(kind, task, UnsafeRawBufferPointer(start: bytes, count: count))
}

private func readerFoundList(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? { found(.list, task) }

private func readerFoundInteger(_ task: UnsafePointer<redisReadTask>?, _ value: Int64) -> UnsafeMutableRawPointer? {
  found(.integer, task)
}

private func readerFoundNothing(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
  found(.nothing, task)
}
