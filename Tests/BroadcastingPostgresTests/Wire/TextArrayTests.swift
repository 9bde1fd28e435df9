//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingPostgres

@Suite("Arrays of text in PostgreSQL's binary form")
struct TextArrayTests {
  @Test("the form is that of array_send")
  func form() {
    var array = TextArray()
    array.append(Array("ab".utf8))
    array.append(Array("c".utf8), Array("xde".utf8)[1...])
    array.finish()
    #expect(
      array.bytes == [
        0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1,  // one dimension, no nulls, text, two, from 1
        0, 0, 0, 2, 0x61, 0x62, 0, 0, 0, 3, 0x63, 0x64, 0x65,
      ])
    array.clear()
    #expect(array.count == 0 && array.bytes.count == 20)
  }
}
