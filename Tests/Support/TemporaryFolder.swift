//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder that is removed, with all in it, when the last reference goes.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws(ProgramError) {
    let parent = currentEnvironment()["TMPDIR"] ?? "/tmp"
    var template = Array("\(parent)/broadcast-tests.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw ProgramError(.notStarted, "no temporary folder in \(parent): \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(path) }

  /// The names of what is in a folder.
  package static func entries(of path: String) throws(ProgramError) -> [String] {
    guard let folder = opendir(path) else { throw ProgramError(.missing, "there is no folder \(path)") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) { names.append(name(of: entry)) }
    return names.filter { $0 != "." && $0 != ".." }
  }

  /// For a folder whose last reference never goes: it is removed when the process ends.
  func removeAtExit() {
    let isFirst = foldersToRemoveAtExit.withLock { folders in
      folders.append(path)
      return folders.count == 1
    }
    if isFirst { atexit { for folder in foldersToRemoveAtExit.withLock({ $0 }) { removeTree(folder) } } }
  }

  /// Writes a file, and gives back its path.
  package func write(_ text: String, to name: String) throws(ProgramError) -> String {
    try write(Array(text.utf8), to: name)
  }

  package func write(_ bytes: [UInt8], to name: String) throws(ProgramError) -> String {
    let file = "\(path)/\(name)"
    guard let stream = fopen(file, "w") else { throw ProgramError(.notStarted, "cannot write \(file)") }
    defer { fclose(stream) }
    fwrite(bytes, 1, bytes.count, stream)
    return file
  }
}

private let foldersToRemoveAtExit = Lock([String]())

private func removeTree(_ path: String) {
  // A link is removed, never followed.
  if unlink(path) == 0 { return }
  if let names = try? TemporaryFolder.entries(of: path) {
    for name in names { removeTree("\(path)/\(name)") }
  }
  rmdir(path)
}

private func name(of entry: UnsafeMutablePointer<dirent>) -> String {
  withUnsafePointer(to: &entry.pointee.d_name) {
    $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
  }
}
