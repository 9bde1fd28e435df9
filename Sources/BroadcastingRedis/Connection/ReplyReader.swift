//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CHiredis

/// Reads what a server says (RESP2), by hiredis' parser. The one file which touches C.
///
/// The parser calls back for each piece, and no reply of its own is ever made: what repeats from one message to the next, the
/// word "message" and the channel's name, is kept, so that a message costs one allocation, that of its payload.
final class ReplyReader {
  enum Reply: Equatable {
    /// A status, or a string.
    case text([UInt8])
    case error([UInt8])
    case integer(Int)
    case nothing
    /// Its pieces are in `elements`.
    case list
  }

  /// A piece of a list.
  enum Element: Equatable {
    case text([UInt8])
    case integer(Int)
    case nothing
    /// A list within the list. Nobody looks into those.
    case list
  }

  /// What the server sent is not what a Redis server sends.
  struct Violation: Error, Equatable {
    let text: String
  }

  /// Redis sends no longer string (its `proto-max-bulk-len`).
  static let maximumBytes = 512 * 1_024 * 1_024
  /// More pieces than any list has that is looked at.
  private static let maximumElements = 32
  /// How much of the parser's buffer is kept while it is empty.
  private static let keptBytes = 64 * 1_024
  /// How much the parser is given at a time. It moves what is left of its buffer to the front after each kilobyte that it has
  /// read, so of much more it would copy every byte many times.
  static let portion = 4_096

  /// The pieces of the list that ``next()`` gave last.
  private(set) var elements: [Element] = []
  /// What stood in the first places of the list before.
  private var repeated: [[UInt8]] = [[], []]
  private var reply: Reply?
  private let limit: Int
  private let reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>

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
    guard let reader = redisReaderCreateWithFunctions(functions) else {
      functions.deallocate()
      throw Violation(text: "no memory for a parser")
    }
    self.reader = reader
    reader.pointee.maxbuf = Self.keptBytes
    reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    redisReaderFree(reader)
    functions.deallocate()
  }

  /// Adds bytes as they came, at most some kilobytes at a time.
  func feed(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
    guard redisReaderFeed(reader, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count) == REDIS_OK else {
      throw violation
    }
  }

  /// The next reply that is complete.
  func next() throws(Violation) -> Reply? {
    if reader.pointee.pos == reader.pointee.len { return nil }
    if reader.pointee.ridx == -1 { elements.removeAll(keepingCapacity: true) }
    var object: UnsafeMutableRawPointer?
    guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw violation }
    if object != nil { return reply.take() }
    if reader.pointee.len - reader.pointee.pos > limit {
      throw Violation(text: "a string of more than \(limit) bytes")
    }
    return nil
  }

  private var violation: Violation {
    withUnsafeBytes(of: reader.pointee.errstr) { text in
      Violation(text: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
    }
  }

  // MARK: What the parser calls

  /// Anything but null: the parser takes that for a lack of memory.
  private static var object: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

  fileprivate func found(
    _ top: Reply, _ element: Element, _ task: UnsafePointer<redisReadTask>
  ) -> UnsafeMutableRawPointer? {
    guard let parent = task.pointee.parent else {
      reply = top
      return Self.object
    }
    if parent.pointee.parent == nil, elements.count < Self.maximumElements { elements.append(element) }
    return Self.object
  }

  fileprivate func found(
    _ bytes: UnsafeRawBufferPointer, _ task: UnsafePointer<redisReadTask>
  ) -> UnsafeMutableRawPointer? {
    let text = task.pointee.parent == nil ? Array(bytes) : keep(bytes, at: elements.count)
    return found(task.pointee.type == REDIS_REPLY_ERROR ? .error(text) : .text(text), .text(text), task)
  }

  private func keep(_ bytes: UnsafeRawBufferPointer, at index: Int) -> [UInt8] {
    guard index < repeated.count else { return Array(bytes) }
    let isSame = repeated[index].withUnsafeBytes { $0.count == bytes.count && $0.elementsEqual(bytes) }
    if !isSame { repeated[index] = Array(bytes) }
    return repeated[index]
  }
}

private func replyReader(_ task: UnsafePointer<redisReadTask>?) -> (ReplyReader, UnsafePointer<redisReadTask>)? {
  guard let task, let data = task.pointee.privdata else { return nil }
  return (Unmanaged<ReplyReader>.fromOpaque(data).takeUnretainedValue(), task)
}

private func readerFoundString(
  _ task: UnsafePointer<redisReadTask>?, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int
) -> UnsafeMutableRawPointer? {
  guard let (reader, task) = replyReader(task) else { return nil }
  return reader.found(UnsafeRawBufferPointer(start: bytes, count: count), task)
}

private func readerFoundList(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
  guard let (reader, task) = replyReader(task) else { return nil }
  return reader.found(.list, .list, task)
}

private func readerFoundInteger(_ task: UnsafePointer<redisReadTask>?, _ value: Int64) -> UnsafeMutableRawPointer? {
  guard let (reader, task) = replyReader(task) else { return nil }
  return reader.found(.integer(Int(value)), .integer(Int(value)), task)
}

private func readerFoundNothing(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
  guard let (reader, task) = replyReader(task) else { return nil }
  return reader.found(.nothing, .nothing, task)
}
