//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("Sizes and times")
struct UnitsTests {
  @Test(
    "a size is a whole number with a unit or without",
    arguments: [
      ("0", 0), ("65536", 65_536), ("10B", 10), ("64k", 65_536), ("64K", 65_536), ("64KiB", 65_536), ("1kB", 1_000),
      ("1KB", 1_000), ("16MiB", 16 << 20), ("2m", 2 << 20), ("3M", 3 << 20), ("1MB", 1_000_000), ("1g", 1 << 30),
      ("1GiB", 1 << 30), ("2GB", 2_000_000_000),
    ])
  func sizes(text: String, bytes: Int) {
    #expect(ByteSize.parse(text) == bytes)
  }

  @Test(
    "what is no size is refused",
    arguments: [
      "", "k", "-1", "+1", " 1", "1 k", "1.5MiB", "1kib", "1Kb", "1T", "0x10", "١", "9223372036854775808",
      "9223372036854775807k",
    ])
  func badSizes(text: String) {
    #expect(ByteSize.parse(text) == nil)
  }

  @Test("a size is shown in the largest unit that leaves a whole number")
  func shownSizes() {
    #expect(
      [0, 1, 1_000, 1_024, 1_536, 1 << 20, 3 << 30, 1 << 40].map(ByteSize.format) == [
        "0", "1", "1000", "1KiB", "1536", "1MiB", "3GiB", "1024GiB",
      ])
  }

  @Test(
    "a time is a whole number with a unit",
    arguments: [("0s", 0), ("500ms", 500), ("20s", 20_000), ("2m", 120_000), ("1h", 3_600_000), ("2d", 172_800_000)])
  func times(text: String, milliseconds: Int) {
    #expect(TimeSpan.parse(text) == .milliseconds(milliseconds))
  }

  @Test(
    "what is no time is refused", arguments: ["", "20", "s", "-1s", "1.5s", "1 s", "1w", "1S", "9223372036854775807h"])
  func badTimes(text: String) {
    #expect(TimeSpan.parse(text) == nil)
  }

  @Test("a time is shown in the largest unit that leaves a whole number")
  func shownTimes() {
    let times: [Duration] = [
      .zero, .milliseconds(10), .milliseconds(1_500), .seconds(75), .seconds(120), .seconds(86_400),
    ]
    #expect(times.map(TimeSpan.format) == ["0ms", "10ms", "1500ms", "75s", "2m", "1d"])
  }
}
