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
    case integer(Int64)
    case nothing
    /// A string of so many bytes, more than the limit: none of them is kept.
    case tooLong(Int)
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
  /// More than any list has that is looked at on most lines.
  static let usualPieces = 32
  /// How much of an empty buffer is kept.
  private static let keptBytes = 64 * 1_024

  private let limit: Int
  /// How many bytes are still to come of a string that is not kept.
  private var skipping = 0
  private let reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
  // Not a property: the parser's callbacks come a few times for each message, and find it without counting references.
  private let found: UnsafeMutablePointer<FoundPieces>

  /// - Parameters:
  ///   - limit: The most bytes of a string that is kept, at least a thousand.
  ///   - maximumPieces: The most pieces of a list that are kept. Further ones are left out.
  /// - Throws: When there is no memory.
  init(limit: Int = ReplyReader.maximumBytes, maximumPieces: Int = ReplyReader.usualPieces) throws(Violation) {
    self.limit = max(1_000, limit)
    functions = .allocate(capacity: 1)
    functions.initialize(to: redisReplyObjectFunctions())
    functions.pointee.createString = readerFoundString
    // Its count is an `int` up to version 0.14 and a `size_t` in later ones.
    functions.pointee.createArray = { task, _ in readerFoundList(task) }
    functions.pointee.createInteger = readerFoundInteger
    functions.pointee.createNil = readerFoundNothing
    found = .allocate(capacity: 1)
    found.initialize(to: FoundPieces(limit: self.limit, maximumPieces: maximumPieces))
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
    let skipped = min(skipping, bytes.count)
    skipping -= skipped
    if skipped == bytes.count { return }
    let bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(skipped))
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
    if skipLongString() { return try next() }
    // A line has no length that could be known before its end.
    if reader.pointee.len - reader.pointee.pos > limit + Self.portion {
      throw Violation(text: "a line of more than \(limit) bytes")
    }
    return nil
  }

  /// Puts an empty string in the place of one that is longer than the limit. Returns whether there was one to come.
  ///
  /// The parser would keep all of it until its end. It has read the mark of the kind already, and waits before the length: in
  /// the buffer a line with a number can be nothing else, for all other lines it takes as soon as they are complete. What it
  /// takes for no length (no line feed after the return, a sign, a zero in front) is left to it.
  private func skipLongString() -> Bool {
    guard reader.pointee.ridx >= 0, let buffer = reader.pointee.buf else { return false }
    let waiting = UnsafeMutableRawBufferPointer(
      start: buffer + reader.pointee.pos, count: reader.pointee.len - reader.pointee.pos)
    guard let lineEnd = waiting.prefix(20).firstIndex(of: 0x0D), lineEnd + 1 < waiting.count,
      waiting[lineEnd + 1] == 0x0A, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(waiting[0]),
      let length = Int(String(decoding: waiting[..<lineEnd], as: UTF8.self)), length > limit,
      length <= Self.maximumBytes
    else { return false }
    let rest = length + 2 - (waiting.count - lineEnd - 2)
    guard rest > 0 else { return false }
    skipping = rest
    found.pointee.skipped = length
    // The line alone is longer, as the limit has four digits.
    let empty: StaticString = "0\r\n\r\n"
    let end = UnsafeMutableRawBufferPointer(rebasing: waiting.suffix(empty.utf8CodeUnitCount))
    end.copyMemory(from: UnsafeRawBufferPointer(start: empty.utf8Start, count: empty.utf8CodeUnitCount))
    reader.pointee.pos = reader.pointee.len - end.count
    return true
  }

  /// How many pieces the last reply has: 1 where it is no list.
  var count: Int { found.pointee.pieces.count }

  /// `nothing` where there is no such piece.
  func kind(at index: Int) -> Kind { found.pointee.piece(at: index)?.kind ?? .nothing }

  /// The bytes of a piece: none where it is no text and no error, or where there is no such piece. They are gone with the
  /// call of ``next()``.
  func bytes(at index: Int) -> UnsafeRawBufferPointer {
    found.pointee.piece(at: index).map { found.pointee.bytes(of: $0) } ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The same as text, for people.
  func text(at index: Int) -> String { String(decoding: bytes(at: index), as: UTF8.self) }

  private var violation: Violation {
    // The parser takes it for a lack of memory.
    if found.pointee.isTooDeep { return Violation(text: "lists that are nested too deeply") }
    return withUnsafeBytes(of: reader.pointee.errstr) { text in
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

  /// Lists in lists. Versions of the parser before 1.0 have a limit of their own, one higher; later ones have none, and keep
  /// memory for each.
  private static let maximumDepth = 7

  let limit: Int
  private let maximumPieces: Int
  /// The length of the string in whose place the next empty one stands.
  var skipped: Int?
  /// Nil for a kind whose callback is not set: later versions of the parser know kinds that 0.14 has not.
  private(set) var reply: ReplyReader.Kind?
  private(set) var pieces: [Piece] = []
  private(set) var isTooDeep = false
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var used = 0

  init(limit: Int, maximumPieces: Int) {
    self.limit = limit
    self.maximumPieces = maximumPieces
  }

  func piece(at index: Int) -> Piece? { pieces.indices.contains(index) ? pieces[index] : nil }

  func bytes(of piece: Piece) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[piece.start..<piece.start + piece.count])
  }

  mutating func removeAll(keeping limit: Int) {
    reply = nil
    pieces.removeAll(keepingCapacity: pieces.capacity <= 1_024)
    used = 0
    if memory.count > limit { free() }
  }

  mutating func free() {
    memory.deallocate()
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  mutating func allows(list task: UnsafePointer<redisReadTask>) -> Bool {
    var depth = 1
    var parent = task.pointee.parent
    while let list = parent {
      depth += 1
      parent = list.pointee.parent
    }
    if depth > Self.maximumDepth { isTooDeep = true }
    return !isTooDeep
  }

  mutating func add(_ kind: ReplyReader.Kind, _ task: UnsafePointer<redisReadTask>, _ bytes: UnsafeRawBufferPointer) {
    if let length = skipped.take() ?? (bytes.count > limit ? bytes.count : nil) {
      return add(.tooLong(length), task, UnsafeRawBufferPointer(start: nil, count: 0))
    }
    if let parent = task.pointee.parent {
      guard parent.pointee.parent == nil, pieces.count < maximumPieces else { return }
      // Those of a kind without a callback keep their place.
      while pieces.count < min(Int(task.pointee.idx), maximumPieces - 1) {
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
    let more = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1_024, memory.count * 2, used + count), alignment: 1)
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

private func readerFoundList(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
  guard let task, let data = task.pointee.privdata else { return nil }
  let isAllowed = data.assumingMemoryBound(to: FoundPieces.self).pointee.allows(list: task)
  return isAllowed ? found(.list, task) : nil
}

private func readerFoundInteger(_ task: UnsafePointer<redisReadTask>?, _ value: Int64) -> UnsafeMutableRawPointer? {
  found(.integer(value), task)
}

private func readerFoundNothing(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
  found(.nothing, task)
}
