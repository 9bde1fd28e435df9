//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a value can't be taken: what is allowed instead, to be read behind "must be".
struct ValueError: Error, Hashable, Sendable {
  let allowed: String
}

/// How values of one kind are written.
struct ValueKind<Value>: Sendable {
  let placeholder: String
  let parse: @Sendable (String) throws(ValueError) -> Value
  /// A value as one would write it; nil where help has nothing to say of it.
  let format: @Sendable (Value) -> String?
}

extension ValueKind<String> {
  /// Any text but the empty one.
  static func text(_ placeholder: String) -> ValueKind {
    ValueKind(placeholder: placeholder) { text throws(ValueError) in
      guard !text.isEmpty else { throw ValueError(allowed: "given and not empty") }
      return text
    } format: {
      $0
    }
  }
}

extension ValueKind<String?> {
  /// Any text but the empty one, for an option that has no default.
  static func optionalText(_ placeholder: String) -> ValueKind {
    let text = ValueKind<String>.text(placeholder)
    return ValueKind(placeholder: placeholder) { value throws(ValueError) in
      try text.parse(value)
    } format: { _ in
      nil
    }
  }
}

extension ValueKind<Int> {
  static func number(_ range: ClosedRange<Int>, placeholder: String = "N") -> ValueKind {
    ValueKind(placeholder: placeholder) { text throws(ValueError) in
      guard let value = Int(decimal: text), range.contains(value) else {
        throw ValueError(allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    } format: {
      String($0)
    }
  }

  /// Bytes: a whole number, with a unit or without.
  static func size(_ range: ClosedRange<Int>) -> ValueKind {
    ValueKind(placeholder: "SIZE") { text throws(ValueError) in
      guard let bytes = ByteSize.parse(text), range.contains(bytes) else {
        throw ValueError(
          allowed: "a size from \(ByteSize.format(range.lowerBound)) to \(ByteSize.format(range.upperBound)),"
            + " such as 65536, 64KiB or 16MiB")
      }
      return bytes
    } format: {
      ByteSize.format($0)
    }
  }
}

extension ValueKind<Int?> {
  /// As ``ValueKind/number(_:placeholder:)``, for an option whose default depends on the machine.
  static func number(_ range: ClosedRange<Int>) -> ValueKind {
    let number = ValueKind<Int>.number(range)
    return ValueKind(placeholder: number.placeholder) { text throws(ValueError) in
      try number.parse(text)
    } format: { _ in
      nil
    }
  }
}

extension ValueKind<Duration> {
  /// A whole number with a unit: ms, s, m, h or d.
  static func duration(_ range: ClosedRange<Duration>) -> ValueKind {
    ValueKind(placeholder: "TIME") { text throws(ValueError) in
      guard let duration = TimeSpan.parse(text), range.contains(duration) else {
        throw ValueError(
          allowed: "a time from \(TimeSpan.format(range.lowerBound)) to \(TimeSpan.format(range.upperBound)),"
            + " such as 500ms, 20s or 2m")
      }
      return duration
    } format: {
      TimeSpan.format($0)
    }
  }
}

extension ValueKind where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
  static func choice() -> ValueKind {
    let names = Value.allCases.map(\.rawValue)
    return ValueKind(placeholder: names.joined(separator: "|")) { text throws(ValueError) in
      guard let value = Value(rawValue: text) else { throw ValueError(allowed: names.joined(separator: " or ")) }
      return value
    } format: {
      $0.rawValue
    }
  }
}
