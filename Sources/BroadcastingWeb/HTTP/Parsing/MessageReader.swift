//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CLlhttp

/// Reads messages of one direction of a connection: ``HeadScanner`` for the head, llhttp for what the head says of the
/// body, and for the body. The only file that calls llhttp.
///
/// It stops behind each message, so what follows (a pipelined request, the first frames of a WebSocket) stays with the
/// caller. One reader serves all messages of its connection in turn.
final class MessageReader {
  enum Progress {
    case incomplete
    /// The head has just ended, and a body follows.
    case head
    case message
  }

  private enum Phase {
    case head
    /// A body of which this much is missing.
    case sizedBody(Int)
    case chunkedBody
    /// A response's body which ends with the connection.
    case endlessBody
  }

  private let kind: HeadScanner.Kind
  private let limits: HTTPLimits
  private let parser: UnsafeMutablePointer<llhttp_t>
  private var phase = Phase.head
  private(set) var scanner: HeadScanner

  /// Set before the head of a response to HEAD ends: it has the length of a body and no body.
  var expectsNoBody = false

  // What the callbacks leave for `read`.
  private var body: [UInt8] = []
  private var isComplete = false
  private var failure: HTTPError?
  private(set) var keepsAlive = false

  // What lies between the bytes of a chunked body: sizes, extensions, trailer fields.
  private var framingBytes = 0
  private var framingStart: UnsafePointer<CChar>?
  private var lastByte: UInt8 = 0

  init(_ kind: HeadScanner.Kind, _ limits: HTTPLimits) {
    self.kind = kind
    self.limits = limits
    scanner = HeadScanner(kind, limits)
    parser = .allocate(capacity: 1)
    llhttp_init(parser, kind == .request ? HTTP_REQUEST : HTTP_RESPONSE, sharedSettings)
    parser.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    parser.deallocate()
  }

  var isIdle: Bool { isInHead && scanner.isIdle }

  private var isInHead: Bool {
    if case .head = phase { true } else { false }
  }

  /// Whether the head tells of a body, also of one that may not be kept.
  var hasBody: Bool {
    parser.pointee.content_length > 0 || parser.pointee.flags & UInt16(F_CHUNKED.rawValue) != 0
  }

  /// Takes bytes as far as the next thing to tell.
  func read(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> (consumed: Int, progress: Progress) {
    switch phase {
    case .head:
      let (consumed, progress) = try scanner.scan(bytes)
      return (consumed, progress == .complete ? try headEnded() : .incomplete)
    case .sizedBody(let missing):
      let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(missing))
      if body.isEmpty, part.count == missing { body.reserveCapacity(missing) }
      _ = execute(part)
      if let failure { throw failure }
      phase = .sizedBody(missing - part.count)
      return (part.count, isComplete ? .message : .incomplete)
    case .chunkedBody:
      let consumed = execute(bytes)
      if let failure { throw failure }
      if isComplete { try checkEnd(bytes.prefix(consumed)) }
      lastByte = consumed > 0 ? bytes[consumed - 1] : lastByte
      return (consumed, isComplete ? .message : .incomplete)
    case .endlessBody:
      let consumed = execute(bytes)
      if let failure { throw failure }
      return (consumed, .incomplete)
    }
  }

  /// The peer sends no more: completes a body that ends so.
  ///
  /// - Returns: Whether a message has ended by that.
  func end() throws(HTTPError) -> Bool {
    if isIdle { return false }
    guard case .endlessBody = phase else {
      throw HTTPError(.malformed, "The connection ended in the middle of a message.")
    }
    keepsAlive = false
    return true
  }

  /// Hands over the body and makes ready for the next message.
  func takeBody() -> [UInt8] {
    let taken = body
    body = []
    scanner = HeadScanner(kind, limits)
    phase = .head
    isComplete = false
    framingBytes = 0
    llhttp_reset(parser)
    return taken
  }

  /// Gives llhttp the head, whole and known to be well-formed, and learns how long the body is.
  private func headEnded() throws(HTTPError) -> Progress {
    // A copy of the reference, so that the scanner isn't being accessed while callbacks run.
    let head = scanner.head
    _ = head.withUnsafeBytes { execute($0) }
    if let failure { throw failure }
    if isComplete { return .message }
    if parser.pointee.flags & UInt16(F_CHUNKED.rawValue) != 0 {
      phase = .chunkedBody
    } else if llhttp_message_needs_eof(parser) != 0 {
      phase = .endlessBody
    } else {
      let length = parser.pointee.content_length
      guard length <= UInt64(max(0, limits.bodyBytes)) else { throw bodyTooLarge }
      phase = .sizedBody(Int(length))
    }
    return .head
  }

  /// Runs llhttp over bytes and tells how many it took: all, unless the message ended before, or `failure` is set.
  private func execute(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let base = bytes.bindMemory(to: CChar.self).baseAddress else { return 0 }
    framingStart = base
    let result = llhttp_execute(parser, base, bytes.count)
    var consumed = bytes.count
    if result != HPE_OK, let position = llhttp_get_error_pos(parser) {
      consumed = min(max(position - base, 0), bytes.count)
    }
    if case .chunkedBody = phase { countFraming(upTo: base + consumed) }
    framingStart = nil
    if result != HPE_OK, !isComplete, failure == nil { failure = error(result) }
    return consumed
  }

  private func error(_ result: llhttp_errno_t) -> HTTPError {
    // The second is that of a method of RTSP. No other constant can be wrong in a head that the scanner has passed.
    if isInHead, kind == .request, result == HPE_INVALID_METHOD || result == HPE_INVALID_CONSTANT {
      return .unknownMethod
    }
    let reason = llhttp_get_error_reason(parser).map { String(cString: $0) } ?? ""
    return HTTPError(.malformed, "The message isn't HTTP/1.1: \(reason.isEmpty ? "it can't be parsed" : reason).")
  }

  /// llhttp 8 takes a lone LF for the empty line behind the last chunk; the standard doesn't.
  private func checkEnd(_ bytes: Slice<UnsafeRawBufferPointer>) throws(HTTPError) {
    let beforeLast = bytes.count >= 2 ? bytes[bytes.endIndex - 2] : lastByte
    guard beforeLast == ASCII.cr else {
      throw HTTPError(.malformed, "A chunked body ends with an empty line, which ends with CR LF.")
    }
  }

  private var bodyTooLarge: HTTPError {
    HTTPError(.bodyTooLarge, "The body is larger than \(limits.bodyBytes) bytes. Send less at once.")
  }

  private func countFraming(upTo end: UnsafePointer<CChar>) {
    guard let framingStart else { return }
    framingBytes += end - framingStart
    guard framingBytes > limits.headerBytes, failure == nil else { return }
    failure = HTTPError(
      .headersTooLarge, "Chunk extensions or trailer fields are larger than \(limits.headerBytes) bytes. Send less.")
  }
}

// What llhttp calls. A result other than 0 stops it, and `execute` finds the cause in the reader.
extension MessageReader {
  fileprivate func headersCompleted() -> CInt {
    expectsNoBody ? 1 : 0
  }

  fileprivate func chunkBegan(_ length: UInt64) -> CInt {
    guard length <= UInt64(max(0, limits.bodyBytes - body.count)) else {
      failure = failure ?? bodyTooLarge
      return -1
    }
    return 0
  }

  fileprivate func took(_ start: UnsafePointer<CChar>, _ count: Int) -> CInt {
    if case .chunkedBody = phase {
      countFraming(upTo: start)
      framingBytes = 0
      framingStart = start + count
    }
    guard failure == nil else { return -1 }
    guard body.count + count <= limits.bodyBytes else {
      failure = bodyTooLarge
      return -1
    }
    body.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
    return 0
  }

  fileprivate func completed() -> CInt {
    isComplete = true
    keepsAlive = llhttp_should_keep_alive(parser) != 0
    return CInt(HPE_PAUSED.rawValue)
  }
}

/// One table of callbacks for all readers.
// Written once, before anybody has it; llhttp only reads it.
private nonisolated(unsafe) let sharedSettings: UnsafePointer<llhttp_settings_t> = {
  let settings = UnsafeMutablePointer<llhttp_settings_t>.allocate(capacity: 1)
  llhttp_settings_init(settings)
  settings.pointee.on_headers_complete = { parser in reader(parser)?.headersCompleted() ?? -1 }
  settings.pointee.on_chunk_header = { parser in
    reader(parser)?.chunkBegan(parser?.pointee.content_length ?? 0) ?? -1
  }
  settings.pointee.on_body = { parser, start, count in
    guard let start else { return 0 }
    return reader(parser)?.took(start, count) ?? -1
  }
  settings.pointee.on_message_complete = { parser in reader(parser)?.completed() ?? -1 }
  return UnsafePointer(settings)
}()

/// The reader that owns this parser: it is alive, since callbacks run only inside its own calls.
@inline(__always)
private func reader(_ parser: UnsafeMutablePointer<llhttp_t>?) -> MessageReader? {
  parser?.pointee.data.map { Unmanaged<MessageReader>.fromOpaque($0).takeUnretainedValue() }
}
