//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Presence beside a broker, without I/O")
struct PresenceTableTests {
  @Test("whatever is lost on the way, all agree with the truth when it is quiet", arguments: 0..<150 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var limits = PresenceLimits()
    limits.maximumMembers = seed % 3 == 0 ? 5 : 10_000
    var broker = PresenceBroker()
    var programs = ["0", "1", "2"].map { PresenceProgram($0, limits: limits) }
    for index in programs.indices {
      programs[index].connect()
      if index != 2 { try programs[index].watch() }
    }
    for _ in 0..<300 {
      let index = Int.random(in: 0..<programs.count, using: &generator)
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<20:
        let name = "\(Int.random(in: 0..<8, using: &generator))"
        try programs[index].enter(PresenceMember(name, info: [UInt8.random(in: 0..<3, using: &generator)]))
      case 20..<35:
        if let scope = programs[index].scopes.indices.randomElement(using: &generator) { programs[index].leave(scope) }
      case 35..<75:
        let fate =
          Int.random(in: 0..<10, using: &generator) > 0 ? .answered : PresenceProgram.Fate.allCases.randomElement()
        _ = programs[index].call(&broker, fate ?? .answered)
        spread(&broker, to: &programs)
      case 75..<85: programs[index].hear(Int.random(in: 0..<4, using: &generator))
      case 85..<94: programs[index].tick()
      case 94..<96: programs[index].read()
      case 96:
        programs[index].lose()
        broker.dead.insert(programs[index].process)
        programs[index].connect()
      case 97:
        broker.flush()
      case 98:
        broker.dead.insert(programs[index].process)
      default:
        // One update is lost.
        if !programs[index].news.isEmpty { programs[index].news.removeFirst() }
      }
    }
    for _ in 0..<120 {
      for index in programs.indices {
        programs[index].tick()
        programs[index].callAll(&broker)
        spread(&broker, to: &programs)
      }
      for index in programs.indices { programs[index].hear() }
    }
    let present = Set(broker.members.map { PresenceMember($0.key, info: $0.value) })
    let wanted = programs.reduce(into: Set<String>()) { $0.formUnion($1.names) }
    #expect(Set(broker.members.keys).isSubset(of: wanted))
    if limits.maximumMembers >= wanted.count { #expect(Set(broker.members.keys) == wanted) }
    for index in programs.indices {
      programs[index].read()
      #expect(programs[index].violations == [])
      #expect(programs[index].scopes.allSatisfy { $0.isDone })
      if index != 2 {
        #expect(programs[index].model == present)
        #expect(programs[index].table.members(of: "a", at: broker.snapshot.position).map { Set($0) } == present)
      }
    }
    // Nothing is left of anybody.
    for index in programs.indices {
      while !programs[index].scopes.isEmpty { programs[index].leave(0) }
      if let watcher = programs[index].watcher { programs[index].follow(programs[index].table.unwatch("a", watcher)) }
      for _ in 0..<70 {
        programs[index].tick()
        programs[index].callAll(&broker)
      }
      #expect(programs[index].table.channels.isEmpty)
      #expect(programs[index].table.entries == 0 && programs[index].table.watched == 0)
    }
    #expect(broker.members.isEmpty)
  }

  @Test("many who enter at once are told in calls of 200, and who leaves and comes back in between never leaves")
  func batches() throws {
    var broker = PresenceBroker()
    var program = PresenceProgram("0")
    program.connect()
    for number in 0..<450 { try program.enter(.init("\(number)")) }
    program.leave(0)
    var calls = 0
    while program.call(&broker) { calls += 1 }
    // And a first check.
    #expect(calls == 4)
    #expect(broker.members.count == 449)
    broker.news = []
    program.leave(0)
    try program.enter(.init("1"))
    program.callAll(&broker)
    #expect(broker.news == [])
    #expect(program.scopes.allSatisfy { $0.isDone })
  }

  @Test("coming and going while nothing can be told keeps no more than those who are there")
  func bounded() throws {
    var program = PresenceProgram("0")
    program.connect()
    try program.enter(.init("here"))
    for number in 0..<10_000 {
      try program.enter(.init("\(number)"))
      program.leave(1)
    }
    #expect(program.table.entries == 1)
    var broker = PresenceBroker()
    program.callAll(&broker)
    #expect(Array(broker.members.keys) == ["here"])
  }

  @Test("a check is due every 3 s, and no tick is wanted when nothing is left")
  func ticks() throws {
    var broker = PresenceBroker()
    var program = PresenceProgram("0")
    program.connect()
    try program.enter(.init("1"))
    program.callAll(&broker)
    for _ in 0..<3 {
      let checks = (0..<PresenceTable.ticksOfCheck).count { _ in
        program.tick()
        return program.call(&broker)
      }
      #expect(checks == 1)
    }
    program.leave(0)
    program.callAll(&broker)
    var effects = PresenceEffects()
    let isWanted = program.table.tick(&effects)
    #expect(!isWanted)
  }

  @Test("a broker that has lost a part forgets the rest, and is told all by everybody")
  func partialLoss() throws {
    var broker = PresenceBroker()
    var programs = [PresenceProgram("0"), PresenceProgram("1")]
    for index in programs.indices {
      programs[index].connect()
      for name in ["\(index)", "both"] { try programs[index].enter(.init(name)) }
    }
    func settle() {
      for _ in 0..<2 * PresenceTable.ticksOfCheck {
        for index in programs.indices {
          programs[index].tick()
          programs[index].callAll(&broker)
        }
      }
    }
    settle()
    broker.evict("0")
    settle()
    #expect(Set(broker.members.keys) == ["0", "1", "both"])
    for index in programs.indices { while !programs[index].scopes.isEmpty { programs[index].leave(0) } }
    settle()
    #expect(broker.members.isEmpty)
  }

  @Test("while a broker is filled again nobody is seen leaving, who comes is seen at once, and the lost go at the end")
  func filling() throws {
    var broker = PresenceBroker()
    var programs = [PresenceProgram("0"), PresenceProgram("1"), PresenceProgram("2")]
    for index in programs.indices { programs[index].connect() }
    try programs[0].watch()
    for index in programs.indices { try programs[index].enter(.init("\(index)")) }
    func settle(_ indices: [Int]) {
      for index in indices {
        programs[index].callAll(&broker)
        spread(&broker, to: &programs)
      }
      programs[0].hear()
      programs[0].callAll(&broker)
      spread(&broker, to: &programs)
      programs[0].read()
    }
    settle([0, 1, 2])
    #expect(programs[0].model == [.init("0"), .init("1"), .init("2")])
    broker.flush()
    programs[0].lose()
    programs[0].connect()
    settle([0])
    #expect(programs[0].model?.count == 3)
    try programs[0].enter(.init("new"))
    settle([0])
    #expect(programs[0].model?.count == 4)
    programs[1].lose()
    programs[1].connect()
    programs[1].leave(0)
    settle([1])
    for _ in 0..<PresenceSync.fillingTicks - 1 {
      programs[0].tick()
      settle([0])
      #expect(programs[0].model?.count == 4)
    }
    programs[0].tick()
    programs[0].read()
    #expect(programs[0].model == [.init("0"), .init("new")])
    #expect(programs[0].violations == [])
  }
}
