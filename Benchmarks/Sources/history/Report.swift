//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import measuring

/// What was measured at one place, a number for each round.
struct Result {
  var place: String
  private var withoutCPU: [Double] = []
  private var withoutWall: [Double] = []
  private var withCPU: [Double] = []
  private var withWall: [Double] = []
  private var joiningCPU: [Double] = []
  private var joiningWall: [Double] = []
  private var fewCPU: [Double] = []
  private var fewWall: [Double] = []
  private var manyCPU: [Double] = []
  private var manyWall: [Double] = []

  init(place: String) { self.place = place }

  mutating func add(without: Cost, with: Cost, joining: Cost?, few: Cost, many: Cost) {
    withoutCPU.append(without.cpu)
    withoutWall.append(without.wall)
    withCPU.append(with.cpu)
    withWall.append(with.wall)
    fewCPU.append(few.cpu)
    fewWall.append(few.wall)
    manyCPU.append(many.cpu)
    manyWall.append(many.wall)
    guard let joining else { return }
    joiningCPU.append(joining.cpu)
    joiningWall.append(joining.wall)
  }

  /// The CPU of a publish with a history to that of one without, and so on.
  var history: Spread { Spread(zip(withCPU, withoutCPU).map { $0 / $1 }) }
  var members: Spread { Spread(zip(manyCPU, fewCPU).map { $0 / $1 }) }
  private var historyWall: Spread { Spread(zip(withWall, withoutWall).map { $0 / $1 }) }
  private var membersWall: Spread { Spread(zip(manyWall, fewWall).map { $0 / $1 }) }

  struct Row {
    var what: String
    var cpu: Spread
    var wall: Spread
    var cpuRatio: Double?
    var wallRatio: Double?
  }

  /// In nanoseconds.
  var rows: [Row] {
    var rows = [
      Row(what: "a publish, without a history", cpu: Spread(withoutCPU), wall: Spread(withoutWall)),
      Row(
        what: "a publish, with one", cpu: Spread(withCPU), wall: Spread(withWall), cpuRatio: history.median,
        wallRatio: historyWall.median),
    ]
    if !joiningCPU.isEmpty {
      rows.append(
        Row(
          what: "a reader who begins with the last 100, of 1,000 who come at once", cpu: Spread(joiningCPU),
          wall: Spread(joiningWall)))
    }
    rows += [
      Row(what: "a member who joins and leaves, beside 10", cpu: Spread(fewCPU), wall: Spread(fewWall)),
      Row(
        what: "a member who joins and leaves, beside 10,000", cpu: Spread(manyCPU), wall: Spread(manyWall),
        cpuRatio: members.median, wallRatio: membersWall.median),
    ]
    return rows
  }
}

enum Report {
  static func table(_ results: [Result]) -> String {
    var lines = ["CPU and time in µs: medians (least–most), and the ratio to the line above", ""]
    for result in results {
      for row in result.rows {
        var line = "\(result.place): \(row.what): CPU \(text(row.cpu)), time \(text(row.wall))"
        if let cpu = row.cpuRatio, let wall = row.wallRatio {
          line += "; ratio \(decimal(cpu)) and \(decimal(wall))"
        }
        lines.append(line)
      }
    }
    return lines.joined(separator: "\n")
  }

  static func json(_ results: [Result]) -> String {
    let rows = results.flatMap { result in
      result.rows.map { row in
        """
        {"place":"\(result.place)","what":"\(row.what)","cpu":\(object(row.cpu)),"wall":\(object(row.wall)),\
        "cpuRatio":\(row.cpuRatio.map(decimal) ?? "null"),"wallRatio":\(row.wallRatio.map(decimal) ?? "null")}
        """
      }
    }
    return "[\(rows.joined(separator: ","))]"
  }

  private static func text(_ spread: Spread) -> String {
    "\(decimal(spread.median / 1e3)) (\(decimal(spread.least / 1e3))–\(decimal(spread.most / 1e3)))"
  }

  /// Microseconds.
  private static func object(_ spread: Spread) -> String {
    """
    {"median":\(decimal(spread.median / 1e3)),"least":\(decimal(spread.least / 1e3)),"most":\(decimal(spread.most / 1e3))}
    """
  }

  /// With two digits behind the point.
  private static func decimal(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    let hundredths = Int((value * 100).rounded())
    let fraction = "\(hundredths % 100)"
    return "\(hundredths / 100)." + (fraction.count < 2 ? "0" : "") + fraction
  }
}
