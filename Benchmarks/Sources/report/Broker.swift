//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A broker, by the name that `scripts/bench` gives it, and what its C program does.
enum Broker: String, Decodable {
  case redis = "Redis"
  case postgres = "PostgreSQL"
  case kafka = "Kafka"

  /// What a way is compared with. One transaction each is all that a C program on PostgreSQL can do for publishers who wait
  /// for their own message; Redis answers in order and has one C program for both. On Kafka each way has its own, with as
  /// many messages in flight.
  func reference(of way: BrokerWay) -> BrokerWay? {
    switch way {
    case .poolRoundTrip, .loopRoundTrip: .cRoundTrip
    case .poolOne, .loopOne: self == .redis ? .cMany : .cOne
    case .poolMany, .loopMany, .poolTopic: .cMany
    case .cRoundTrip, .cOne, .cMany: nil
    }
  }

  func pace(of way: BrokerWay) -> String {
    switch way {
    case .cOne: self == .postgres ? "one in a transaction" : "64 in flight"
    case .cMany:
      switch self {
      case .redis: "64 in flight"
      case .postgres: "100 in a transaction"
      case .kafka: "4,096 in flight"
      }
    case .poolOne, .loopOne: "64 tasks, one at a time"
    case .poolMany, .loopMany, .poolTopic: "64 tasks, 64 at a time"
    case .cRoundTrip, .poolRoundTrip, .loopRoundTrip: "one, when the one before is back"
    }
  }
}

/// A way to publish over a broker, by the name that `scripts/bench` gives it.
enum BrokerWay: String, CaseIterable, Decodable {
  case cRoundTrip = "c-round-trip"
  case cOne = "c-one"
  case cMany = "c-many"
  case poolRoundTrip = "pool-round-trip"
  case poolOne = "pool-one"
  case poolMany = "pool-many"
  /// On Kafka, where the others have one topic for all channels.
  case poolTopic = "pool-topic"
  case loopRoundTrip = "loop-round-trip"
  case loopOne = "loop-one"
  case loopMany = "loop-many"

  static let roundTrips: [BrokerWay] = [.cRoundTrip, .poolRoundTrip, .loopRoundTrip]
  static let throughputs: [BrokerWay] = [.cOne, .cMany, .poolOne, .poolMany, .poolTopic, .loopOne, .loopMany]

  var who: String {
    switch self {
    case .cRoundTrip, .cOne, .cMany: "the C program"
    case .poolRoundTrip, .poolOne, .poolMany: "ours, tasks on the global pool"
    case .poolTopic: "the same, with a topic of its own for each channel"
    case .loopRoundTrip, .loopOne, .loopMany: "ours, tasks on the backend's loop"
    }
  }
}
