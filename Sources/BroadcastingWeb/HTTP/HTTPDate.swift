//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The time of a response, as its `Date` field has it (RFC 9110 sections 5.6.7 and 6.6.1).
package enum HTTPDate {
  /// The text of the last second that was asked for: thousands of responses share it.
  private static let latest = Lock((second: 0, text: format(0)))

  package static func now() -> [UInt8] {
    let second = time(nil)
    return latest.withLock { latest in
      if latest.second != second { latest = (second, format(second)) }
      return latest.text
    }
  }

  /// - Parameter second: since 1970, up to the end of the year 9999.
  static func format(_ second: Int) -> [UInt8] {
    var second = second
    var parts = tm()
    gmtime_r(&second, &parts)
    let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Int(parts.tm_mon)]
    let date = "\(day), \(pad(parts.tm_mday)) \(month) \(parts.tm_year + 1900)"
    return Array("\(date) \(pad(parts.tm_hour)):\(pad(parts.tm_min)):\(pad(parts.tm_sec)) GMT".utf8)
  }

  private static func pad(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

  /// The second since 1970 that a date stands for, in any of the three forms that a recipient has to know; nil for what
  /// is none.
  package static func parse(_ text: String) -> Int? {
    // "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"
    var words = text.lowercased().split { " ,-".contains($0) }
    guard words.count >= 5, words.removeFirst().allSatisfy(\.isLetter) else { return nil }
    let isAsctime = words[0].allSatisfy(\.isLetter)
    guard words.count == (isAsctime ? 4 : 5), isAsctime || words[4] == "gmt" else { return nil }
    let (day, month, year, clock) =
      isAsctime ? (words[1], words[0], words[3], words[2]) : (words[0], words[1], words[2], words[3])
    let times = clock.split(separator: ":", omittingEmptySubsequences: false).map { number($0) }
    guard let day = number(day), let month = months.firstIndex(of: String(month)), var century = number(year),
      times.count == 3, let hour = times[0], let minute = times[1], let second = times[2],
      (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    if year.count == 2 { century += century < 70 ? 2000 : 1900 }
    var parts = tm()
    parts.tm_year = Int32(century - 1900)
    parts.tm_mon = Int32(month)
    parts.tm_mday = Int32(day)
    parts.tm_hour = Int32(hour)
    parts.tm_min = Int32(minute)
    parts.tm_sec = Int32(second)
    return Int(timegm(&parts))
  }

  /// One to four digits.
  private static func number(_ text: Substring) -> Int? {
    text.count <= 4 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
  }
}
