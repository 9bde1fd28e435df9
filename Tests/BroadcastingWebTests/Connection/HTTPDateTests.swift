//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The date of responses")
struct HTTPDateTests {
  @Test(
    "a date is written as RFC 9110 has it",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
  func format(_ second: Int, _ text: String) {
    #expect(String(decoding: HTTPDate.format(second), as: UTF8.self) == text)
  }

  @Test("now is now")
  func now() {
    let before = time(nil)
    let text = HTTPDate.now()
    #expect((before...time(nil)).map(HTTPDate.format).contains(text))
  }
}
