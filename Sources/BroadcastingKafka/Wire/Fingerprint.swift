//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// By what a record is known again: two logs that have the same one at an offset are taken for the same.
struct Fingerprint: Hashable, Sendable {
  let offset: Int64
  private let timestamp: Int64
  private let keyCount: Int
  private let valueCount: Int
  private let hash: Int

  /// So much of a value is looked at: most of what differs does so at its beginning, or in its length.
  private static let hashedBytes = 256

  init(_ record: RecordView) {
    self.init(offset: record.offset, timestamp: record.timestamp, key: record.key, value: record.value)
  }

  init(offset: Int64, timestamp: Int64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    self.offset = offset
    self.timestamp = timestamp
    keyCount = key.count
    valueCount = value.count
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: key.prefix(Self.hashedBytes)))
    hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: value.prefix(Self.hashedBytes)))
    hash = hasher.finalize()
  }
}
