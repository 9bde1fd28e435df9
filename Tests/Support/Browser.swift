//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A headless Chromium with one page.
package final class Browser: Sendable {
  private let process: ChildProcess

  /// Starts the browser with a window of `width` by `height` CSS pixels, as a phone's where it is narrow.
  package init(width: Int = 1280, height: Int = 800) async throws {
    process = try await PythonProgram.browser.start([try Tool.chromium.path, "\(width)", "\(height)"])
    try await process.line(containing: "ready")
  }

  /// Opens a page, and returns when it has loaded.
  package func open(_ url: String) async throws {
    _ = try await ask("open", url)
  }

  /// The value of a JavaScript expression, as text.
  package func evaluate(_ expression: String) async throws -> String {
    try await ask("evaluate", expression)
  }

  /// Returns when a JavaScript expression has become true.
  package func wait(until expression: String) async throws {
    _ = try await ask("wait", expression)
  }

  /// Replaces what stands in the field that `selector` finds, by keys as from a keyboard.
  package func type(_ text: String, into selector: String) async throws {
    _ = try await ask("focus", selector)
    _ = try await ask("type", text)
  }

  /// Presses a key where the focus is: "Enter", "Escape" or "Tab".
  package func press(_ key: String) async throws {
    _ = try await ask("press", key)
  }

  /// Clicks twice on the middle of what `selector` finds.
  package func doubleClick(_ selector: String) async throws {
    _ = try await ask("double", selector)
  }

  /// Clicks on the middle of what `selector` finds.
  package func click(_ selector: String) async throws {
    _ = try await ask("click", selector)
  }

  /// Writes a picture of the page, as PNG.
  package func screenshot(to file: String) async throws {
    _ = try await ask("screenshot", file)
  }

  /// What went wrong on the page since it was opened, a line each: uncaught errors, messages of the console at level
  /// "error", breaches of the content security policy. A failed connection is none.
  package func problems() async throws -> [String] {
    try await ask("problems", "").split(separator: "\u{1f}").map(String.init)
  }

  /// Ends the browser, and removes what it kept.
  package func close() async throws {
    process.signal(.terminate)
    try await process.exit()
  }

  private func ask(_ verb: String, _ argument: String) async throws -> String {
    try process.send("\(verb) \(argument)")
    let line = try await process.line()
    guard line.hasPrefix("ok ") else { throw ProgramError(.refused, "\(verb) \(argument): \(line)") }
    return String(line.dropFirst(3))
  }
}
