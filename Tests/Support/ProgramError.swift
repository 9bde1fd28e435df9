//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a program that a test started is of no use to it.
package struct ProgramError: Error, CustomStringConvertible {
  package enum Code: Sendable {
    /// A tool that the test needs isn't installed.
    case missing
    case notStarted
    /// It ended before it did what was waited for.
    case ended
    /// It did not do in time what was waited for.
    case timedOut
    /// It answered with an error of its own.
    case refused
  }

  package var code: Code
  package var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
