//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// curl, as somebody would type it.
package enum Curl {
  package struct Answer: Sendable, Equatable {
    package var status: Int
    package var body: String
  }

  /// Pushes the JSON `body`, for instance `{"message": "hi"}`.
  @discardableResult
  package static func push(_ body: String, to server: String) async throws -> Answer {
    try await run(["-d", body, "-H", "content-type: application/json", "\(server)/push"])
  }

  /// Runs curl and gives back the answer to its last request.
  package static func run(_ arguments: [String]) async throws -> Answer {
    let options = ["--silent", "--show-error", "--max-time", "30", "--write-out", #"\n%{http_code}"#]
    let curl = try await ChildProcess(Tool.curl.path, options + arguments)
    guard try await curl.exit() == .code(0) else {
      throw ProgramError(
        .refused, "curl \(arguments.joined(separator: " ")): \(curl.transcript(.errors).joined(separator: "\n"))")
    }
    let lines = curl.transcript()
    return Answer(status: lines.last.flatMap { Int($0) } ?? 0, body: lines.dropLast().joined(separator: "\n"))
  }
}
