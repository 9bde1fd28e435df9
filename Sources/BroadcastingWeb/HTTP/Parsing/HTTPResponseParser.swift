//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Reads responses from the bytes of a connection, with no socket in it.
///
/// It takes no byte behind a response: behind a 101 the first frames follow. Interim responses (100, 103) come out
/// like others.
package final class HTTPResponseParser {
  package enum Event: Sendable {
    /// Everything was taken, and more is needed.
    case needsMore

    /// A whole response. With `keepAlive` false the server ends the connection behind it.
    case response(HTTPResponse, keepAlive: Bool)

    /// The connection is of no more use. Reading on gives the same.
    case failed(HTTPError)
  }

  private let reader: MessageReader
  private var failure: HTTPError?

  package init(limits: HTTPLimits = HTTPLimits()) {
    reader = MessageReader(.response, limits)
  }

  /// Takes bytes as far as the next event, and tells how many those were.
  ///
  /// - Parameter method: The method of the request that is being answered: a response to HEAD has no body.
  package func read(
    _ bytes: UnsafeRawBufferPointer, answering method: HTTPMethod = .get
  ) -> (consumed: Int, event: Event) {
    if let failure { return (0, .failed(failure)) }
    reader.expectsNoBody = method == .head
    var total = 0
    do throws(HTTPError) {
      while true {
        let (consumed, progress) = try reader.read(UnsafeRawBufferPointer(rebasing: bytes[total...]))
        total += consumed
        switch progress {
        case .incomplete: return (total, .needsMore)
        case .head: continue
        case .message: return (total, finished())
        }
      }
    } catch {
      return (0, fail(error))
    }
  }

  /// The server has ended the connection: gives the response whose body ends so, nil between two responses, and an
  /// error in the middle of one.
  package func end() -> Event? {
    if let failure { return .failed(failure) }
    do throws(HTTPError) {
      return try reader.end() ? finished() : nil
    } catch {
      return fail(error)
    }
  }

  private func finished() -> Event {
    let scanner = reader.scanner
    let keepAlive = reader.keepsAlive
    let headers = HTTPHeaders(block: scanner.head, fields: scanner.fields)
    let response = HTTPResponse(status: HTTPStatus(scanner.status), headers: headers, body: reader.takeBody())
    return .response(response, keepAlive: keepAlive)
  }

  private func fail(_ error: HTTPError) -> Event {
    failure = error
    return .failed(error)
  }
}
