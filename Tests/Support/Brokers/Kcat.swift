//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Runs of `kcat`.
package enum Kcat {
  /// Starts it on a server's port.
  package static func start(_ arguments: [String], port: Int) async throws -> ChildProcess {
    try await ChildProcess(Tool.kcat.path, ["-b", "127.0.0.1:\(port)", "-q"] + arguments)
  }

  /// Runs it to its end, and gives back what it printed.
  ///
  /// - Parameter input: What it reads, byte for byte.
  @discardableResult
  package static func run(_ arguments: [String], port: Int, input: [UInt8]? = nil) async throws -> String {
    let file = try TemporaryFolder()
    let kcat =
      if let input {
        try await ChildProcess(
          "/bin/sh",
          ["-c", #"exec "$0" "$@" < "$INPUT""#, Tool.kcat.path, "-b", "127.0.0.1:\(port)", "-q"] + arguments,
          environment: ["INPUT": file.write(input, to: "input")])
      } else {
        try await start(arguments, port: port)
      }
    let exit = try await kcat.exit()
    let output = kcat.transcript().joined(separator: "\n")
    guard exit == .code(0) else {
      let errors = kcat.transcript(.errors).joined(separator: "\n")
      throw ProgramError(.refused, "kcat \(arguments.joined(separator: " ")): \(output) \(errors)")
    }
    return output
  }
}
