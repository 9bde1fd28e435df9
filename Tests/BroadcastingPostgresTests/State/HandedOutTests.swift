//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingPostgres

@Suite("What subscribers were given is held a little longer")
struct HandedOutTests {
  private func run(_ number: Int) -> [Delivery] { [.message(Message("\(number)", to: "a"))] }

  @Test("the newest are held, and the oldest goes first")
  func newest() {
    var handedOut = HandedOut()
    let count = HandedOut.maximumRuns + 3
    for number in 0..<count { handedOut.append(run(number), bytes: 1) }
    #expect(handedOut.runs.count == HandedOut.maximumRuns)
    for number in 0..<count { #expect(handedOut.runs.contains(run(number)) == (number >= 3)) }
  }

  @Test("what has many bytes is not held")
  func large() {
    var handedOut = HandedOut()
    handedOut.append(run(1), bytes: HandedOut.maximumBytes + 1)
    #expect(handedOut.runs.isEmpty)
    handedOut.append(run(2), bytes: HandedOut.maximumBytes)
    #expect(handedOut.runs == [run(2)])
  }

  @Test("what holds a message counts too, so that many short ones are not held")
  func short() {
    var arrivals = Arrivals(probeName: ChannelName("probe".utf8), isTextValid: true)
    arrivals.listen(to: "a")
    let fitting = HandedOut.maximumBytes / (64 + 1)
    for count in [fitting + 1, fitting] {
      for _ in 0..<count {
        Array("a".utf8).withUnsafeBufferPointer { name in
          Array("x".utf8).withUnsafeBufferPointer { arrivals.add(name: name, payload: $0, sender: 1) { _ in } }
        }
      }
      arrivals.flush { _ in }
    }
    #expect(arrivals.handedOut.runs.map(\.count) == [fitting])
  }

  @Test("a probe lets go of all")
  func probe() {
    var arrivals = Arrivals(probeName: ChannelName("probe".utf8), isTextValid: true)
    arrivals.listen(to: "a")
    add("x", on: "a")
    arrivals.flush { _ in }
    #expect(arrivals.handedOut.runs == [[.message(Message("x", to: "a"))]])
    add("7", on: "probe")
    #expect(arrivals.handedOut.runs.isEmpty)
    add(String(repeating: "y", count: 40_000), on: "a")
    add(String(repeating: "z", count: 40_000), on: "a")
    arrivals.flush { _ in }
    #expect(arrivals.handedOut.runs.isEmpty, "together they are too large")

    func add(_ text: String, on name: String) {
      Array(name.utf8).withUnsafeBufferPointer { name in
        Array(text.utf8).withUnsafeBufferPointer { arrivals.add(name: name, payload: $0, sender: 1) { _ in } }
      }
    }
  }
}
