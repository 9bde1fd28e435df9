//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Command {
  /// What `broadcast NAME --help` prints.
  var help: String {
    var rows: [(title: String, rows: [HelpRow])] = []
    if !arguments.isEmpty {
      let arguments = arguments.map {
        HelpRow($0.placeholder, $0.help, standard: $0.standard, environment: $0.environment)
      }
      rows.append((arguments.count == 1 ? "Argument" : "Arguments", arguments))
    }
    rows += groups.map { group in
      (
        group.title,
        group.options.map { option in
          let names = [option.letter, option.name].compactMap { $0 }.joined(separator: ", ")
          let left = option.placeholder.map { "\(names) \($0)" } ?? names
          return HelpRow(left, option.help, standard: option.standard, environment: option.environment)
        }
      )
    }
    rows.append(("Help", [HelpRow("-h, --help", "Print this and exit.")]))
    rows.append(("Exit codes", exits.map { HelpRow($0.code, $0.help) }))

    let width = HelpRow.columnWidth(of: rows.flatMap(\.rows))
    let blocks = rows.map { block in
      ([block.title + ":"] + block.rows.flatMap { $0.lines(columnWidth: width) }).joined(separator: "\n")
    }
    return (["Usage: \(synopsis) [options]", overview] + blocks).joined(separator: "\n\n") + "\n"
  }
}

/// One line or more of help: what is written on the left, what it does on the right.
struct HelpRow {
  /// How wide help is.
  static let width = 100
  private let left: String
  /// Words, and the notes in one piece.
  private let right: [String]

  init(_ left: String, _ text: String, standard: String? = nil, environment: String? = nil) {
    let notes = [standard.map { "default: \($0)" }, environment.map { "env: \($0)" }].compactMap { $0 }
    self.left = left
    right = text.split(separator: " ").map(String.init) + (notes.isEmpty ? [] : ["[\(notes.joined(separator: ", "))]"])
  }

  /// How wide the left column is, so that everything on the right begins at the same place.
  static func columnWidth(of rows: [HelpRow]) -> Int { rows.map { $0.left.count }.max() ?? 0 }

  func lines(columnWidth: Int) -> [String] {
    let indent = String(repeating: " ", count: columnWidth + 4)
    var lines = ["  " + left + String(repeating: " ", count: columnWidth - left.count) + "  "]
    var isEmpty = true
    for word in right {
      if !isEmpty, lines[lines.count - 1].count + 1 + word.count > Self.width {
        lines.append(indent)
        isEmpty = true
      }
      lines[lines.count - 1] += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines
  }
}
