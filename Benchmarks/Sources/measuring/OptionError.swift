//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is wrong with a command line.
public struct OptionError: Error {
  public var message: String

  public init(_ message: String) { self.message = message }
}

/// Reads a number above 0 that belongs to an option.
public func number(_ text: String?, of option: String) throws(OptionError) -> Int {
  guard let number = text.flatMap({ Int($0) }), number > 0 else {
    throw OptionError("\(option) takes a number above 0")
  }
  return number
}
