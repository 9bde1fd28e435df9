//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How the program ends.
enum ExitCode: Int32, Sendable {
  case success = 0
  /// Something failed while it ran.
  case failure = 1
  /// The command line or the environment is wrong: EX_USAGE of sysexits(3).
  case usage = 64
}

@main
enum Program {
  static func main() async {
    do throws(UsageError) {
      let arguments = Array(CommandLine.arguments.dropFirst())
      switch try Invocation.parse(arguments, environment: { name in getenv(name).map { String(cString: $0) } }) {
      case .print(let text):
        print(text, terminator: "")
      case .serve(let options):
        exit(try await Serve(options).run().rawValue)
      }
    } catch {
      StandardStream.print(error.text, to: StandardStream.error)
      exit(ExitCode.usage.rawValue)
    }
  }
}
