//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

extension Failure {
  /// The server answered with something else than what was asked for.
  init(answer response: HTTPResponse, to what: String) {
    let body = String(decoding: response.body.prefix(300), as: UTF8.self)
    let said = body.isEmpty ? "" : ": \(body)"
    let exitCode: ExitCode =
      switch response.status.code {
      case 300...399: .redirected
      case 400...: .refused
      default: .strangeAnswer
      }
    self.init("\(what) was answered \(response.status)\(said)", exitCode)
  }
}
