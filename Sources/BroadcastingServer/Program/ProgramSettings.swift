//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The settings of a program, which it takes from its environment: `PORT`, `DATABASE_URL` and the like.
///
/// A variable that is set and empty counts as one that is not set.
public struct ProgramSettings: Sendable {
  private let value: @Sendable (String) -> String?

  /// - Parameter value: gives the text of a variable, nil for one that is not set.
  init(_ value: @escaping @Sendable (String) -> String?) {
    self.value = value
  }

  /// The text of a variable; nil for one that is not set.
  public subscript(name: String) -> String? { value(name).flatMap { $0.isEmpty ? nil : $0 } }

  /// The text of a variable that has to be there.
  ///
  /// - Throws: ``ProgramSettingError`` when it is not set.
  public func required(_ name: String, such example: String) throws(ProgramSettingError) -> String {
    guard let text = self[name] else {
      throw ProgramSettingError(name, "\(name) is not set. It has to be there, for instance \(name)=\(example)")
    }
    return text
  }

  /// A whole number.
  ///
  /// - Throws: ``ProgramSettingError`` when the variable has no whole number within `range`.
  public func number(
    _ name: String, default standard: Int, in range: ClosedRange<Int> = 0...Int.max
  ) throws(ProgramSettingError) -> Int {
    guard let text = self[name] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw ProgramSettingError(
        name,
        "\(name) is “\(text.prefix(40))”. It has to be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// Yes or no, also written as `true` and `false`, or `1` and `0`.
  ///
  /// - Throws: ``ProgramSettingError`` when the variable says something else.
  public func flag(_ name: String, default standard: Bool = false) throws(ProgramSettingError) -> Bool {
    switch self[name]?.lowercased() {
    case nil: standard
    case "yes", "true", "1": true
    case "no", "false", "0": false
    case let text?: throw ProgramSettingError(name, "\(name) is “\(text.prefix(40))”. It has to be yes or no.")
    }
  }

  /// The configuration of a server at `HOST`, 127.0.0.1 by default, and `PORT`.
  ///
  /// It prints `listening on http://…` once it listens, and a line on standard error for what fails. With `INSECURE=yes` other
  /// machines may use it too, as in a container: nobody asks them who they are, unless a check of the program does.
  ///
  /// - Parameter port: where `PORT` is not set. 0 is any that is free.
  /// - Throws: ``ProgramSettingError`` for a `PORT` or an `INSECURE` that is none.
  public func serverConfiguration(port: Int) throws(ProgramSettingError) -> BroadcastServer.Configuration {
    var configuration = BroadcastServer.Configuration(
      host: self["HOST"] ?? "127.0.0.1", port: try number("PORT", default: port, in: 0...65_535))
    if try flag("INSECURE") { configuration.origins = .anyMachine }
    configuration.onEvent = { event in
      if event.kind == .listening {
        for address in event.addresses ?? [] { ProgramOutput.print("listening on http://\(address)") }
      } else {
        ProgramOutput.printError("\(event)")
      }
    }
    return configuration
  }
}

/// A variable of the environment that a program can't work with. ``ServerProgram`` ends with exit code 64 for it.
public struct ProgramSettingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The variable.
  public let name: String
  /// One line: what is wrong, and what would be right.
  public let message: String

  public init(_ name: String, _ message: String) {
    self.name = name
    self.message = message
  }

  public var description: String { message }
}
