// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-broadcast", path: "..")],
  targets: [
    // The clock, the medians and the command lines of all of them.
    .target(name: "measuring", swiftSettings: swiftSettings),
    .executableTarget(
      name: "fanout", dependencies: ["measuring", .product(name: "Broadcasting", package: "swift-broadcast")],
      swiftSettings: swiftSettings),
    // What a history costs beside none, and what presence costs with many members.
    .executableTarget(
      name: "history",
      dependencies: [
        "measuring", .product(name: "Broadcasting", package: "swift-broadcast"),
        .product(name: "BroadcastingRedis", package: "swift-broadcast"),
      ],
      swiftSettings: swiftSettings),
    // A broker with the library, and the same broker with nothing but C.
    .executableTarget(
      name: "brokers",
      dependencies: ["measuring"]
        + ["BroadcastingKafka", "BroadcastingPostgres", "BroadcastingRedis"].map {
          .product(name: $0, package: "swift-broadcast")
        },
      // It runs on the backend's own loop, which is not public.
      swiftSettings: swiftSettings + [.unsafeFlags(["-Xfrontend", "-disable-access-control"])]),
    .executableTarget(name: "c-redis"),
    .executableTarget(name: "c-kafka", linkerSettings: [.linkedLibrary("rdkafka")]),
    .executableTarget(name: "c-postgres", linkerSettings: [.linkedLibrary("pq")]),
    // Makes a table and a picture of what was measured.
    .executableTarget(name: "report", swiftSettings: swiftSettings),
  ]
)
