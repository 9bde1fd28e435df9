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
  private var assembler: PartAssembler
  // What came on the channel of the last notification. Most come in runs, and to compare is less than to look up.
  private var run: [Delivery] = []
  private var runChannel: Channel?
  private var runName: [UInt8] = []

  init(probeName: ChannelName, isTextValid: Bool, limits: PartAssembler.Limits = .init()) {
    self.probeName = probeName
    self.isTextValid = isTextValid
    assembler = PartAssembler(limits: limits)
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
      if name.elementsEqual(probeName.bytes), let number = UInt64(String(decoding: payload, as: UTF8.self)) {
        emit(.probe(number))
      }
      return
    }
    if payload.first == Part.start[0], let (part, pieceStart) = Part.parse(payload) {
      add(part, UnsafeBufferPointer(rebasing: payload[pieceStart...]), sender, channel, emit)
      return
    }
    if !assembler.isEmpty { interrupt(sender, emit) }
    if run.isEmpty { run.reserveCapacity(64) }
    run.append(.message(message(Array(payload), channel)))
  }

  /// Gives out what was gathered.
  mutating func flush(_ emit: (Event) -> Void) {
    guard let channel = runChannel, !run.isEmpty else { return }
    emit(.messages(run, channel))
    // Those who got it hold it: an empty one costs less than to move all out of it.
    run = []
  }

  /// The channel that the database calls so. What is gathered is of that one when this returns.
  private mutating func channel(called name: UnsafeBufferPointer<UInt8>, _ emit: (Event) -> Void) -> Channel? {
    if let runChannel, name.elementsEqual(runName) { return runChannel }
    let key = ChannelName(name)
    guard let channel = channels[key] else { return nil }
    flush(emit)
    runName = key.bytes
    runChannel = channel
    return channel
  }

  private func message(_ bytes: [UInt8], _ channel: Channel) -> Message {
    if isTextValid, bytes.first != Part.start[0] { return Message(validUTF8: bytes, to: channel) }
    return Envelope.decode(bytes, channel: channel)
  }

  // MARK: Parts

  private mutating func add(
    _ part: Part, _ piece: UnsafeBufferPointer<UInt8>, _ sender: Int32, _ channel: Channel, _ emit: (Event) -> Void
  ) {
    var broken: [Channel] = []
    let outcome = assembler.add(part, piece, from: sender, on: channel) { broken.append($0) }
    tell(broken, emit)
    switch outcome {
    case .incomplete, .ignored: break
    case .whole(let bytes): run.append(.message(message(bytes, channel)))
    case .broken: tell([channel], emit)
    }
  }

  private mutating func interrupt(_ sender: Int32, _ emit: (Event) -> Void) {
    var broken: [Channel] = []
    assembler.interrupt(sender) { broken.append($0) }
    tell(broken, emit)
  }

  /// A gap stands behind what came before it.
  private mutating func tell(_ broken: [Channel], _ emit: (Event) -> Void) {
    for channel in broken {
      flush(emit)
      emit(.missed(channel))
    }
  }
}
