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

@main
enum Program {
  static func main() async {
    StandardStream.reserve()
    do throws(UsageError) {
      switch try Invocation.parse(try arguments(), environment: ProcessEnvironment.value(of:)) {
      case .print(let text):
        if !StandardStream.print(text, to: StandardStream.output) { exit(ExitCode.outputFailed.rawValue) }
      case .run(let options):
        exit(try await options.run().rawValue)
      }
    } catch {
      StandardStream.print(error.text, to: StandardStream.error)
      exit(error.exitCode.rawValue)
    }
  }

  /// What stands behind the program's name. The standard library repairs what is not UTF-8, and a message must arrive as
  /// it is or not at all.
  private static func arguments() throws(UsageError) -> [String] {
    var arguments: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = CommandLine.unsafeArgv[index] else { break }
      guard let argument = String(validatingCString: bytes) else {
        throw UsageError(
          "argument \(index) is not UTF-8; 'broadcast publish --binary' sends any bytes from standard input",
          exitCode: arguments.first == ServeOptions.command.name ? .usage : .misuse)
      }
      arguments.append(argument)
    }
    return arguments
  }
}
