//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A glob as Redis reads it, made ready to be compared with many names.
///
/// What Redis does where the form is broken is done here too: a set that is not closed ends with the pattern, a range may
/// be written from its end to its start, and a backslash behind which nothing comes is one.
struct Glob: Sendable {
  private enum Element: Sendable {
    case byte(UInt8)
    case anyByte
    /// An index into `sets`.
    case set(Int)
    case anyBytes
  }

  private var elements: [Element] = []
  private var sets: [ByteSet] = []

  init(_ pattern: some Sequence<UInt8>) {
    var rest = Array(pattern)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"):
        // Several are as good as one.
        if case .anyBytes = elements.last { continue }
        elements.append(.anyBytes)
      case UInt8(ascii: "?"): elements.append(.anyByte)
      case UInt8(ascii: "["):
        elements.append(.set(sets.count))
        sets.append(Self.readSet(&rest))
      case UInt8(ascii: "\\"): elements.append(.byte(rest.popFirst() ?? byte))
      default: elements.append(.byte(byte))
      }
    }
  }

  /// Reads a set behind its opening bracket.
  private static func readSet(_ rest: inout ArraySlice<UInt8>) -> ByteSet {
    var set = ByteSet()
    let isInverted = rest.first == UInt8(ascii: "^")
    if isInverted { rest.removeFirst() }
    while let byte = rest.popFirst(), byte != UInt8(ascii: "]") {
      if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
        set.insert(next...next)
      } else if rest.first == UInt8(ascii: "-"), let last = rest.dropFirst().first {
        set.insert(min(byte, last)...max(byte, last))
        rest.removeFirst(2)
      } else {
        set.insert(byte...byte)
      }
    }
    if isInverted { set.invert() }
    return set
  }

  func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    var (place, element) = (0, 0)
    // Where to go on when what follows the last `*` does not fit: it takes a byte more. An earlier one need never be tried
    // again, because the last can take whatever that would.
    var retry: (place: Int, element: Int)?
    while place < name.count {
      if element < elements.count {
        if case .anyBytes = elements[element] {
          element += 1
          if element == elements.count { return true }
          retry = (place, element)
          continue
        }
        if accepts(elements[element], name[place]) {
          place += 1
          element += 1
          continue
        }
      }
      guard let last = retry else { return false }
      place = last.place + 1
      element = last.element
      retry = (place, element)
    }
    return elements[element...].allSatisfy { if case .anyBytes = $0 { true } else { false } }
  }

  private func accepts(_ element: Element, _ byte: UInt8) -> Bool {
    switch element {
    case .byte(let wanted): byte == wanted
    case .anyByte, .anyBytes: true
    case .set(let index): sets[index].contains(byte)
    }
  }
}

/// A set of bytes, as one bit for each.
private struct ByteSet: Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  func contains(_ byte: UInt8) -> Bool {
    let word =
      switch byte >> 6 {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    return word >> UInt64(byte & 63) & 1 == 1
  }

  mutating func insert(_ bytes: ClosedRange<UInt8>) {
    for byte in bytes {
      let bit = UInt64(1) << UInt64(byte & 63)
      switch byte >> 6 {
      case 0: words.0 |= bit
      case 1: words.1 |= bit
      case 2: words.2 |= bit
      default: words.3 |= bit
      }
    }
  }

  mutating func invert() { words = (~words.0, ~words.1, ~words.2, ~words.3) }
}
