//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a program has said on one of its streams, cut into lines.
struct ProgramLines {
  var lines: [String] = []
  /// The lines before this one have been taken.
  var taken = 0
  var unfinished: [UInt8] = []
  var isOpen = true

  mutating func append(_ bytes: ArraySlice<UInt8>) {
    unfinished += bytes
    while let end = unfinished.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: unfinished[..<end], as: UTF8.self))
      unfinished.removeSubrange(...end)
    }
  }

  mutating func close() {
    isOpen = false
    if !unfinished.isEmpty { lines.append(String(decoding: unfinished, as: UTF8.self)) }
    unfinished = []
  }
}
