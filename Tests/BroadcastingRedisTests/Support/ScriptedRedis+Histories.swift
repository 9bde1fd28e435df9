//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import BroadcastingRedis

extension ScriptedRedis {
  /// Answers what histories need too, unless `script` does.
  static func keeping(_ script: @escaping Script = { _ in nil }) -> Script {
    { words in
      if let answer = script(words) { return answer }
      switch words[0] {
      case "INFO": return .raw(string("run_id:abc\r\n"))
      case "SCRIPT":
        return .raw(string(words[2].utf8.elementsEqual(ServerScript.record.source) ? "record" : "read"))
      case "EVALSHA": return .raw(words[1] == "record" ? string("7-1") : list("7-1", "1"))
      default: return nil
      }
    }
  }

  static func string(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

  static let announcing = "__broadcast.at.0.broadcast:history:{chat}"
}
