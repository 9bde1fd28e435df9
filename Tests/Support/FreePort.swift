//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Starts a program that listens and can't be asked to choose a port by itself: tries some, until one is free.
///
/// - Parameter start: starts it on a port, and returns when it listens.
func startOnFreePort<Program>(_ start: (Int) async throws -> Program) async throws -> (port: Int, program: Program) {
  var candidates = try ReservedPort.some(20)
  while true {
    // Nobody else's until the program has it.
    let port = candidates.removeLast()
    do {
      let program = try await start(port.number)
      return (port.number, program)
    } catch let error as ProgramError where error.code == .ended && !candidates.isEmpty {
      guard error.message.contains("Address already in use") else { throw error }
    }
  }
}
