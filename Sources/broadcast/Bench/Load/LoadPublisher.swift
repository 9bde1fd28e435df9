//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb

/// One connection to publish by, with one request at a time. When the server ends it between two requests, as it may,
/// the next one takes its place.
final class LoadPublisher: StreamDelegate {
  let index: Int
  private let test: LoadTest
  private var stream: (any ByteStream)?
  private var parser = HTTPResponseParser()
  private var underWay: (number: Int, stamp: UInt64)?
  /// Answers on this connection.
  private var answers = 0
  private var ending: UnsafeContinuation<Void, Never>?

  init(_ index: Int, _ test: LoadTest) {
    self.index = index
    self.test = test
  }

  var isFree: Bool { stream != nil && underWay == nil }
  var isWaiting: Bool { underWay != nil }

  /// Uses a connection until one end has closed it.
  func use(_ stream: any ByteStream) async {
    parser = HTTPResponseParser()
    answers = 0
    self.stream = stream
    stream.delegate = self
    stream.startReading()
    test.publisherConnected()
    if self.stream != nil { await withUnsafeContinuation { ending = $0 } }
  }

  func send(_ request: [UInt8], _ number: Int, stamp: UInt64) {
    underWay = (number, stamp)
    stream?.write(request)
  }

  func close() { stream?.close() }

  // MARK: What the stream tells

  func received(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let (consumed, event) = parser.read(rest, answering: .post)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      switch event {
      case .needsMore: return
      case .failed(let error):
        return test.stop(because: Failure("the answer to POST /push: \(error.message)", .receivingFailed))
      case .response(let response, let keepAlive):
        if response.status.code >= 200 { answered(response, keepAlive: keepAlive) }
      }
    }
  }

  private func answered(_ response: HTTPResponse, keepAlive: Bool) {
    guard response.status == .ok else {
      return test.stop(because: Failure(answer: response, to: "POST /push"))
    }
    guard let (number, stamp) = underWay.take() else {
      return test.stop(because: Failure("an answer came without a request", .receivingFailed))
    }
    answers += 1
    // Before the test is told, which would use it at once.
    if !keepAlive { leave() }
    test.answered(number, stamp: stamp)
  }

  func drained() {}

  func ended(_ error: NetworkError?) {
    if underWay != nil || answers == 0 {
      // Not by itself a fault where it was never used; but the next one might go the same way, for ever.
      let reason = error?.message ?? "the server ended the connection without an answer"
      test.stop(because: Failure("POST /push: \(reason)", .receivingFailed))
    }
    leave()
  }

  func closed() {
    stream = nil
    ending.take()?.resume()
  }

  /// Gives the connection up; another takes its place.
  private func leave() { stream.take()?.close() }
}
