//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Turns notifications into messages, and gathers those of one channel that come together. A machine that does nothing
/// itself but call `emit`.
struct Arrivals {
  enum Event {
    case messages([Delivery], Channel)
    /// Parts of a message are missing.
    case missed(Channel)
    case probe(UInt64)
  }

  private let probeName: ChannelName
  /// Whether the database has checked that what it sends is UTF-8.
  private let isTextValid: Bool
  private var channels: [ChannelName: Channel] = [:]
  private var assembler = PartAssembler()
  // What came on the channel of the last notification. Most come in runs, and to compare is less than to look up.
  private var run: [Delivery] = []
  private var runChannel: Channel?
  private var runName: [UInt8] = []
  private var runBytes = 0
  private(set) var handedOut = HandedOut()

  init(probeName: ChannelName, isTextValid: Bool) {
    self.probeName = probeName
    self.isTextValid = isTextValid
  }

  /// Takes what arrives on a channel from now on.
  mutating func listen(to channel: Channel) { channels[ChannelName(of: channel)] = channel }

  /// To be called when all that was gathered is given out.
  mutating func forget(_ channel: Channel) {
    channels[ChannelName(of: channel)] = nil
    runChannel = nil
    runName = []
  }

  /// Takes a notification.
  ///
  /// - Parameter sender: The process of the database server that serves the sender.
  mutating func add(
    name: UnsafeBufferPointer<UInt8>, payload: UnsafeBufferPointer<UInt8>, sender: Int32, emit: (Event) -> Void
  ) {
    guard let channel = channel(called: name, emit) else {
      interrupt(emit)
      if name.elementsEqual(probeName.bytes), let number = UInt64(String(decoding: payload, as: UTF8.self)) {
        // It comes every few seconds: where nothing else does, nothing is held for long.
        handedOut.clear()
        emit(.probe(number))
      }
      return
    }
    if payload.first == Part.firstByte, let (part, pieceStart) = Part.parse(payload) {
      add(part, UnsafeBufferPointer(rebasing: payload[pieceStart...]), sender, channel, emit)
      return
    }
    interrupt(emit)
    if run.isEmpty { run.reserveCapacity(64) }
    append(Array(payload), channel)
  }

  /// Gives out what was gathered.
  mutating func flush(_ emit: (Event) -> Void) {
    guard let channel = runChannel, !run.isEmpty else { return }
    emit(.messages(run, channel))
    handedOut.append(run, bytes: runBytes)
    // Those who got it hold it: an empty one costs less than to move all out of it.
    run = []
    runBytes = 0
  }

  /// The channel that the database calls so. What is gathered is of that one when this returns.
  private mutating func channel(called name: UnsafeBufferPointer<UInt8>, _ emit: (Event) -> Void) -> Channel? {
    if let runChannel, name.count == runName.count, name.elementsEqual(runName) { return runChannel }
    let key = ChannelName(name)
    guard let channel = channels[key] else { return nil }
    flush(emit)
    runName = key.bytes
    runChannel = channel
    return channel
  }

  private mutating func append(_ bytes: [UInt8], _ channel: Channel) {
    let message = message(bytes, channel)
    run.append(.message(message))
    runBytes += message.bufferedBytes
  }

  private func message(_ bytes: [UInt8], _ channel: Channel) -> Message {
    if isTextValid, bytes.first != Part.firstByte { return Message(validUTF8: bytes, to: channel) }
    return Envelope.decode(bytes, channel: channel)
  }

  // MARK: Parts

  private mutating func add(
    _ part: Part, _ piece: UnsafeBufferPointer<UInt8>, _ sender: Int32, _ channel: Channel, _ emit: (Event) -> Void
  ) {
    if !assembler.isContinued(by: part, from: sender, on: channel) { interrupt(emit) }
    switch assembler.add(part, piece, from: sender, on: channel) {
    case .incomplete, .ignored: break
    case .whole(let bytes): append(bytes, channel)
    case .broken: missed(channel, emit)
    }
  }

  private mutating func interrupt(_ emit: (Event) -> Void) {
    if let channel = assembler.interrupt() { missed(channel, emit) }
  }

  /// A gap stands behind what came before it.
  private mutating func missed(_ channel: Channel, _ emit: (Event) -> Void) {
    flush(emit)
    emit(.missed(channel))
  }
}
