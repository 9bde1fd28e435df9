//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Database

/// Answers with what the body gives, as JSON.
///
/// - Parameter place: the path of what was created.
func answer<Value: Encodable>(
  _ status: HTTPStatus = .ok, at place: ((Value) -> String)? = nil, _ body: () async throws -> Value
) async throws -> HTTPResponse {
  do {
    let value = try await body()
    var headers: HTTPHeaders = [:]
    if let place { headers.append("Location", place(value)) }
    return .json(try JSON.encode(value), status: status, headers: headers)
  } catch let error as DatabaseError {
    throw RequestError(error) ?? error
  }
}

/// The same for what gives nothing.
func answer(_ body: () async throws -> Void) async throws -> HTTPResponse {
  do {
    try await body()
    return .empty()
  } catch let error as DatabaseError {
    throw RequestError(error) ?? error
  }
}

extension RequestError {
  /// What a client hears of the database: whether to try again. Nil for what is a mistake of this program.
  fileprivate init?(_ error: DatabaseError) {
    switch error.code {
    case .unavailable, .busy, .timedOut, .notRunning, .cancelled: break
    case .refused where error.sqlState == .deadlockDetected: break
    default: return nil
    }
    self.init(
      .serviceUnavailable, "unavailable", "The database does not answer now. Try again.", headers: ["Retry-After": "1"])
  }
}

extension Request {
  /// The id in the path. What is no number, or too large for one, names nothing.
  func id(_ what: String) throws(RequestError) -> Int {
    let text = try parameter("id")
    guard let id = Int32(text), id > 0 else {
      throw RequestError(.notFound, "no_\(what)", "There is no \(what) \(text.prefix(40)).")
    }
    return Int(id)
  }

  /// A number of the query.
  func number(_ name: String, default standard: Int, in range: ClosedRange<Int>) throws(RequestError) -> Int {
    guard let text = try query()[name] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw RequestError(
        .badRequest, "invalid_parameter",
        "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }
}
