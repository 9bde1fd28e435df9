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
}
