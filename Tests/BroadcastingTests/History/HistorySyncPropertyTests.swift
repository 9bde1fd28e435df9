//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

/// A broker with a log, two lines to it that are as late as they like, and whoever reads what comes of them.
private struct World {
  /// Which of the events happen.
  struct Weather {
    var trims = false
    var restarts = false
    var failures = false
    var plain = false
  }

  private var random: SeededGenerator
  private let weather: Weather

  // The broker.
  private var epoch: UInt64 = 1_000
  private var offset: UInt64 = 0
  private var kept: [Message] = []
  private var hasLog = false
  private var isListening = false
  /// All that was ever published, with a position and without.
  private(set) var published: [MessagePosition] = []
  private(set) var plain: [String] = []

  // The lines.
  private var arriving: [Delivery] = []
  private var question: HistoryQuery?
  private var answer: HistoryPage?
  private var isOpening = false
  private var confirmed: MessagePosition?

  // The reader.
  private var sync = HistorySync("c")
  private(set) var delivered: [Delivery] = []
  /// How many had been published where the reader began.
  private(set) var start: Int?
  private var candidate = 0
  private(set) var losses = 0
  private var failuresLeft = 0

  init(seed: UInt64, _ weather: Weather) {
    random = SeededGenerator(seed: seed)
    self.weather = weather
  }

  private mutating func isOneOf(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

  private var head: MessagePosition { hasLog ? MessagePosition(epoch: epoch, offset: offset) : .beginning }

  // MARK: What happens

  private mutating func publish() {
    if weather.plain, isOneOf(8) {
      let message = Message("plain \(plain.count)", to: "c")
      plain.append(message.text ?? "")
      if isListening { arriving.append(.message(message)) }
      return
    }
    hasLog = true
    offset += 1
    let message = Message("x", to: "c", position: MessagePosition(epoch: epoch, offset: offset))
    kept.append(message)
    published.append(MessagePosition(epoch: epoch, offset: offset))
    if isListening { arriving.append(.message(message)) }
  }

  private mutating func restart() {
    epoch += UInt64.random(in: 1...3, using: &random)
    offset = 0
    // Where the reader begins, messages of a log that is gone may come from before that.
    if sync.last != nil, isOneOf(2) {
      kept = []
      hasLog = false
    }
  }

  /// The session is over, and all that was under way with it.
  private mutating func cut() {
    if isListening || isOpening { losses += 1 }
    (isListening, isOpening, confirmed) = (false, false, nil)
    (question, answer) = (nil, nil)
    arriving = []
    take(sync.lost())
  }

  private mutating func take(_ step: HistorySync.Step) { delivered += step.deliveries }

  private mutating func page(_ query: HistoryQuery) -> HistoryPage {
    guard case .after(let position) = query.start.value else { return HistoryPage(head: head) }
    let known = position.epoch < epoch || position.epoch == epoch && position.offset <= offset
    let rest = kept.filter { message in
      guard known, let other = message.position else { return true }
      return other.epoch > position.epoch || other.epoch == position.epoch && other.offset > position.offset
    }
    let count = min(rest.count, Int.random(in: 1...4, using: &random))
    return HistoryPage(head: head, messages: Array(rest.prefix(count)), reachesHead: count == rest.count)
  }

  private mutating func happen() {
    switch Int.random(in: 0..<16, using: &random) {
    case 0..<5: publish()
    case 5: if weather.trims, !kept.isEmpty { kept.removeFirst(Int.random(in: 1...kept.count, using: &random)) }
    case 6:
      // The lines break with a restart, but a log that is deleted breaks none. Who has heard of no message yet cannot know
      // of a log that came and went.
      if weather.restarts, sync.last != .beginning, confirmed != .beginning, isOneOf(8) {
        restart()
        if isOneOf(2) { cut() }
      }
    case 7: if isOneOf(8) { cut() }
    default: goOn()
    }
  }

  /// One of the lines moves.
  private mutating func goOn() {
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      guard !arriving.isEmpty else { return }
      let count = Int.random(in: 1...arriving.count, using: &random)
      let some = Array(arriving.prefix(count))
      arriving.removeFirst(count)
      take(sync.arrived(some))
    case 1:
      if !isListening {
        sync.begin()
        (isListening, isOpening) = (true, true)
      } else if isOpening, confirmed == nil {
        confirmed = head
        if start == nil { candidate = published.count }
      } else if isOpening, let head = confirmed {
        (isOpening, confirmed) = (false, nil)
        take(sync.opened(head))
        start = start ?? candidate
      }
    default:
      if let asked = question {
        guard answer != nil else {
          answer = page(asked)
          return
        }
        let page = answer
        (question, answer) = (nil, nil)
        if weather.failures, isOneOf(4) { take(sync.failed()) } else if let page { take(sync.read(page)) }
      } else if isListening, !isOpening {
        question = sync.takeQuery()
      }
    }
  }

  mutating func run(_ steps: Int) {
    for _ in 0..<steps { happen() }
    // Nothing more is published, and everything under way arrives.
    for _ in 0..<2_000 { goOn() }
  }

  var isQuiet: Bool { sync.mode == .live && arriving.isEmpty && sync.heldBytes == 0 && question == nil }
  var end: MessagePosition? { sync.last }
  var newest: MessagePosition { head }
}

@Suite("What arrives and what is read, joined at random")
struct HistorySyncPropertyTests {
  /// Runs a world, and holds what was delivered against what was published.
  private func check(seed: UInt64, _ weather: World.Weather, mayMiss: Bool) throws {
    var world = World(seed: seed, weather)
    world.run(120)
    try #require(world.isQuiet, "seed \(seed): \(world.end.map(String.init) ?? "nil")")
    let start = try #require(world.start)
    var next = start
    var isCovered = false
    var counted = 0
    var gaps = 0
    for delivery in world.delivered {
      switch delivery {
      case .gap(let gap):
        gaps += 1
        isCovered = isCovered || gap.missed == nil
        counted += gap.missed ?? 0
      case .message(let message):
        guard let position = message.position else { continue }
        let place = try #require(world.published.firstIndex(of: position))
        try #require(place >= next, "seed \(seed): \(position) is a double, or too late")
        let missing = place - next
        // A gap that counts does so exactly, unless another that doesn't stands at the same place.
        try #require(
          missing == counted || isCovered && missing >= counted, "seed \(seed): \(missing) before \(position)")
        (next, isCovered, counted) = (place + 1, false, 0)
      }
    }
    let missing = world.published.count - next
    try #require(missing == counted || isCovered && missing >= counted, "seed \(seed): \(missing) at the end")
    if !mayMiss { try #require(gaps == 0, "seed \(seed): a gap without a reason") }
    let texts = world.delivered.compactMap {
      if case .message(let message) = $0, message.position == nil { message.text } else { nil }
    }
    try #require(
      Set(texts).count == texts.count
        && texts == texts.sorted { world.plain.firstIndex(of: $0)! < world.plain.firstIndex(of: $1)! })
  }

  @Test("with lines that break and are late, every message comes once, in order, and without a gap")
  func cuts() throws {
    for seed in 0..<4_000 as Range<UInt64> { try check(seed: seed, .init(), mayMiss: false) }
  }

  @Test("a limit that takes messages before they are read leaves a gap with their number")
  func trims() throws {
    for seed in 0..<2_000 as Range<UInt64> { try check(seed: seed, .init(trims: true), mayMiss: true) }
  }

  @Test("logs that begin anew, and histories that can't be asked, leave gaps at their places")
  func restarts() throws {
    for seed in 0..<4_000 as Range<UInt64> {
      try check(
        seed: seed, .init(trims: true, restarts: true, failures: seed % 2 == 0, plain: seed % 3 == 0), mayMiss: true)
    }
  }
}
