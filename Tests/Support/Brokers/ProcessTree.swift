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

/// The processes that a program has started.
package enum ProcessTree {
  /// From proc(5). On other systems than Linux none are found.
  static func children(of process: Int) -> [Int] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var children: [Int] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if let number = Int(name), state(of: number)?.parent == process { children.append(number) }
    }
    return children
  }

  /// Its children, theirs, and so on, as of now.
  package static func descendants(of process: Int) -> [Int] {
    children(of: process).flatMap { [$0] + descendants(of: $0) }
  }

  /// The path of the program that a process runs; nil when it has ended.
  package static func executable(of process: Int) -> String? {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/\(process)/exe", &path, path.count)
    return count > 0 ? String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  /// Those of them which have not ended.
  package static func alive(among processes: [Int]) -> [Int] {
    processes.filter { state(of: $0).map { $0.letter != "Z" } ?? false }
  }

  package static func signal(_ processes: [Int], _ number: Int32) {
    for process in processes { _ = kill(pid_t(process), number) }
  }

  /// Returns when all of them have ended, whoever reaps them. Nobody tells of it, so it looks again and again.
  package static func waitForEnd(of processes: [Int]) async throws {
    for process in processes {
      while let state = state(of: process), state.letter != "Z" { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  private static func state(of process: Int) -> (letter: Substring, parent: Int)? {
    guard let file = fopen("/proc/\(process)/stat", "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = fread(&buffer, 1, buffer.count, file)
    // The name stands in brackets, and may hold anything.
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    guard let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 1,
      let parent = Int(fields[1])
    else { return nil }
    return (fields[0], parent)
  }
}
