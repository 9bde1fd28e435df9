//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The channels that share a topic, found by a record's key.
struct SharedChannels {
  enum Target: Equatable {
    case channel(Channel)
    /// Nobody has subscribed to it, or not that early.
    case nobody
    /// There is no key, or it can be no channel's name.
    case impossible
  }

  private struct Entry {
    var channel: Channel
    /// From which offset of each partition its subscribers get what comes; nil where all that comes is for them.
    var cut: (ends: [Int64], number: UInt64)?
  }

  private var entries: [[UInt8]: Entry] = [:]
  /// Most records have the key of the one before.
  private var memo: (key: [UInt8], entry: Entry)?

  var isEmpty: Bool { entries.isEmpty }
  var channels: [Channel] { entries.values.map(\.channel) }

  func contains(_ channel: Channel) -> Bool { entries[Array(channel.name.utf8)] != nil }

  /// - Parameters:
  ///   - ends: What comes before them was published before the subscription; nil where nothing of that is read.
  ///   - number: Is given to ``endCut(_:)`` once all partitions have been read up to there.
  mutating func add(_ channel: Channel, from ends: [Int64]?, number: UInt64) {
    entries[Array(channel.name.utf8)] = Entry(channel: channel, cut: ends.map { ($0, number) })
    memo = nil
  }

  mutating func remove(_ channel: Channel) {
    entries[Array(channel.name.utf8)] = nil
    memo = nil
  }

  mutating func removeAll() { self = SharedChannels() }

  mutating func endCut(_ number: UInt64, of channel: Channel) {
    let key = Array(channel.name.utf8)
    guard entries[key]?.cut?.number == number else { return }
    entries[key]?.cut = nil
    memo = nil
  }

  mutating func target(_ key: UnsafeRawBufferPointer, _ partition: Int32, _ offset: Int64) -> Target {
    if let memo, key.isSame(as: memo.key) { return Self.target(memo.entry, partition, offset) }
    let bytes = Array(key)
    guard let entry = entries[bytes] else {
      return Self.isPossible(bytes) ? .nobody : .impossible
    }
    memo = (bytes, entry)
    return Self.target(entry, partition, offset)
  }

  private static func target(_ entry: Entry, _ partition: Int32, _ offset: Int64) -> Target {
    guard let ends = entry.cut?.ends, ends.indices.contains(Int(partition)) else { return .channel(entry.channel) }
    return offset < ends[Int(partition)] ? .nobody : .channel(entry.channel)
  }

  private static func isPossible(_ key: [UInt8]) -> Bool {
    !key.isEmpty && key.count <= Channel.maximumBytes && !key.contains(0)
      && String(validating: key, as: UTF8.self) != nil
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isSame(as bytes: [UInt8]) -> Bool { count == bytes.count && elementsEqual(bytes) }
}
