//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A time with its offset from UTC, as PostgreSQL writes a `timestamp with time zone` in JSON (ISO 8601):
/// `2024-02-29T12:30:00.123456+00:00`, with ` BC` behind years before 1.
struct Timestamp {
  enum Failure: Error {
    case malformed
    /// There is no offset: it may be any moment of a whole day.
    case withoutZone
    case tooFine
    case tooFar
  }

  /// Since the beginning of 2001 in UTC.
  let microseconds: Int64

  init(_ text: String) throws(Failure) {
    var reader = Reader(text)
    var (year, month, day) = (try reader.number(4...6), 0, 0)
    try reader.skip("-")
    month = try reader.number(2...2)
    try reader.skip("-")
    day = try reader.number(2...2)
    guard year > 0, (1...12).contains(month), (1...31).contains(day) else { throw .malformed }
    if reader.isAtEnd { throw .withoutZone }
    if !reader.take("T") { try reader.skip(" ") }
    let seconds = try reader.clock()
    guard seconds < 86_400 else { throw .malformed }
    let fraction = reader.take(".") ? try reader.fraction() : 0
    let offset = try reader.offset()
    if reader.take(" BC") { year = 1 - year }
    let days = Self.days(year, month, day)
    // The month behind December is January here.
    guard reader.isAtEnd, days < Self.days(year, month + 1, 1) else { throw .malformed }
    let total = Int64(days) * 86_400 + Int64(seconds - offset)
    // PostgreSQL's own times fit, up to the year 294276; a message may be anybody's.
    let (whole, isTooFar) = total.multipliedReportingOverflow(by: 1_000_000)
    let (sum, isTooFarNow) = whole.addingReportingOverflow(Int64(fraction))
    if isTooFar || isTooFarNow { throw .tooFar }
    microseconds = sum
  }

  /// Days from 2001-01-01, in the Gregorian calendar also before there was one. Years begin with March here, so that the day
  /// which may be missing is the last.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month > 2 ? year : year - 1
    let month = month > 2 ? month - 3 : month + 9
    func floor(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((b - 1 - a) / b) }
    let leapDays = floor(year, 4) - floor(year, 100) + floor(year, 400)
    // 730,791 is what the rest makes for 2001-01-01.
    return year * 365 + leapDays + (month * 153 + 2) / 5 + (day - 1) - 730_791
  }

  private struct Reader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ word: String) -> Bool {
      guard rest.starts(with: word.utf8) else { return false }
      rest.removeFirst(word.utf8.count)
      return true
    }

    mutating func skip(_ word: String) throws(Failure) { if !take(word) { throw .malformed } }

    private mutating func digits() -> [Int] {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest.removeFirst(digits.count)
      return digits.map { Int($0 - UInt8(ascii: "0")) }
    }

    mutating func number(_ count: ClosedRange<Int>) throws(Failure) -> Int {
      let digits = digits()
      guard count.contains(digits.count) else { throw .malformed }
      return digits.reduce(0) { $0 * 10 + $1 }
    }

    mutating func clock() throws(Failure) -> Int {
      let hour = try number(2...2)
      var parts = [0, 0]
      for part in 0..<2 where take(":") { parts[part] = try number(2...2) }
      guard hour < 24, parts[0] < 60, parts[1] < 60 else { throw .malformed }
      return hour * 3_600 + parts[0] * 60 + parts[1]
    }

    /// In microseconds.
    mutating func fraction() throws(Failure) -> Int {
      let digits = digits()
      guard !digits.isEmpty else { throw .malformed }
      guard digits.dropFirst(6).allSatisfy({ $0 == 0 }) else { throw .tooFine }
      return (digits.prefix(6) + Array(repeating: 0, count: max(0, 6 - digits.count))).reduce(0) { $0 * 10 + $1 }
    }

    mutating func offset() throws(Failure) -> Int {
      if take("Z") { return 0 }
      if take("+") { return try clock() }
      if take("-") { return -(try clock()) }
      throw isAtEnd || rest.starts(with: " BC".utf8) ? .withoutZone : .malformed
    }
  }
}
