// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  // Binds this package alone: SwiftPM silences warnings in the packages somebody depends on.
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ module: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(module)Tests", dependencies: [.byName(name: module)] + dependencies, swiftSettings: swiftSettings)
}

let package = Package(
  name: "swift-broadcast",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Broadcasting", targets: ["Broadcasting"]),
    .library(name: "BroadcastingJSON", targets: ["BroadcastingJSON"]),
    .library(name: "BroadcastingRedis", targets: ["BroadcastingRedis"]),
    .library(name: "BroadcastingPostgres", targets: ["BroadcastingPostgres"]),
    .library(name: "BroadcastingKafka", targets: ["BroadcastingKafka"]),
    .library(name: "BroadcastingServer", targets: ["BroadcastingServer"]),
    .library(name: "BroadcastingClient", targets: ["BroadcastingClient"]),
    .library(name: "BroadcastingTesting", targets: ["BroadcastingTesting"]),
    .executable(name: "broadcast", targets: ["broadcast"]),
  ],
  targets: [
    // The core: the standard library alone.
    library("BroadcastingLocking"),
    library("Broadcasting", ["BroadcastingLocking"]),
    library("BroadcastingJSON", ["Broadcasting"]),
    library("BroadcastingTesting", ["Broadcasting"]),

    // Loops and the wire: these know nothing of channels.
    library("BroadcastingNetwork", ["BroadcastingLocking", "CUV"]),
    library("BroadcastingTLS", ["BroadcastingLocking", "BroadcastingNetwork", "COpenSSL"]),
    library("BroadcastingWeb", ["BroadcastingNetwork", "CLlhttp", "COpenSSL"]),

    // Backends with a broker: what they share, and one module for each.
    library("BroadcastingBroker", ["Broadcasting", "BroadcastingLocking", "BroadcastingNetwork"]),
    library(
      "BroadcastingRedis",
      ["Broadcasting", "BroadcastingBroker", "BroadcastingNetwork", "BroadcastingTLS", "CHiredis"],
      resources: ["record", "read", "presence", "who"].map { .embedInCode("Scripts/\($0).lua") }),
    library(
      "BroadcastingPostgres", ["Broadcasting", "BroadcastingBroker", "BroadcastingNetwork", "CLibpq", "COpenSSL"],
      resources: ["begin", "publish", "row_changes", "watch", "end"].map { .embedInCode("Migration/\($0).sql") }),
    library(
      "BroadcastingKafka",
      ["Broadcasting", "BroadcastingBroker", "BroadcastingLocking", "BroadcastingNetwork", "CRdkafka", "CUV"]),

    // The other end: a broadcast over a running server.
    library(
      "BroadcastingClient",
      ["Broadcasting", "BroadcastingBroker", "BroadcastingNetwork", "BroadcastingTLS", "BroadcastingWeb"]),

    // The server and the command.
    library(
      "BroadcastingServer",
      ["Broadcasting", "BroadcastingLocking", "BroadcastingNetwork", "BroadcastingWeb", "COpenSSL"],
      resources: ["html", "css", "js"].map { .embedInCode("Endpoints/Page/page.\($0)") }),
    .executableTarget(
      name: "broadcast",
      dependencies: [
        "Broadcasting", "BroadcastingClient", "BroadcastingKafka", "BroadcastingLocking", "BroadcastingNetwork",
        "BroadcastingPostgres", "BroadcastingRedis", "BroadcastingServer", "BroadcastingTLS", "BroadcastingWeb",
      ],
      swiftSettings: swiftSettings),

    // C libraries of the system. No `pkgConfig:`, which would warn even a user of the core alone about each missing
    // `.pc` file; the shims name the package to install instead.
    .systemLibrary(name: "CUV", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
    .systemLibrary(name: "CLibpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    .systemLibrary(name: "CRdkafka", providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),
    .systemLibrary(name: "CRdkafkaMock", path: "Tests/CRdkafkaMock"),
    .target(name: "CThreads", path: "Tests/CThreads"),
    .target(name: "CLlhttp", cSettings: [.headerSearchPath("private")]),

    tests("Broadcasting", ["BroadcastingLocking", "BroadcastingTesting", "TestSupport"]),
    tests("BroadcastingJSON"),
    tests("BroadcastingNetwork", ["TestSupport"]),
    tests("BroadcastingTLS", ["BroadcastingLocking", "BroadcastingNetwork", "COpenSSL", "TestSupport"]),
    tests("BroadcastingBroker", ["Broadcasting", "BroadcastingLocking", "BroadcastingNetwork", "TestSupport"]),
    tests(
      "BroadcastingRedis",
      [
        "Broadcasting", "BroadcastingBroker", "BroadcastingLocking", "BroadcastingNetwork", "BroadcastingTLS",
        "TestSupport",
      ]),
    tests(
      "BroadcastingPostgres",
      ["Broadcasting", "BroadcastingBroker", "BroadcastingJSON", "BroadcastingNetwork", "CLibpq", "TestSupport"]),
    tests(
      "BroadcastingKafka",
      [
        "Broadcasting", "BroadcastingBroker", "BroadcastingLocking", "BroadcastingNetwork", "CRdkafka", "CRdkafkaMock",
        "TestSupport",
      ]),
    tests("BroadcastingWeb", ["BroadcastingLocking", "BroadcastingNetwork", "TestSupport"]),
    tests("BroadcastingServer", ["TestSupport"]),
    tests(
      "BroadcastingClient",
      [
        "BroadcastingLocking", "BroadcastingNetwork", "BroadcastingTLS", "BroadcastingTesting", "BroadcastingWeb",
        "TestSupport", "broadcast",
      ]),
    .testTarget(
      name: "BroadcastCommandTests",
      dependencies: [
        "broadcast", "Broadcasting", "BroadcastingClient", "BroadcastingLocking", "BroadcastingNetwork",
        "BroadcastingPostgres",
        "BroadcastingWeb", "TestSupport",
      ],
      swiftSettings: swiftSettings),

    // Every backend on its real broker, and what happens when that fails.
    .testTarget(
      name: "BrokerTests",
      dependencies: [
        "Broadcasting", "BroadcastingClient", "BroadcastingKafka", "BroadcastingLocking", "BroadcastingNetwork",
        "BroadcastingPostgres", "BroadcastingRedis", "BroadcastingTLS", "BroadcastingTesting", "TestSupport",
        "broadcast",
      ],
      swiftSettings: swiftSettings),

    // What tests share, and the whole, seen from outside: the command as a process, beside foreign clients.
    .target(
      name: "TestSupport",
      dependencies: ["Broadcasting", "BroadcastingLocking", "BroadcastingNetwork", "COpenSSL", "CRdkafka", "CThreads"],
      path: "Tests/Support",
      exclude: ["Programs", "requirements.txt"], swiftSettings: swiftSettings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["TestSupport", "broadcast"], swiftSettings: swiftSettings),
    // The programs of the package in Examples, started as a user starts them.
    .testTarget(
      name: "ExampleTests", dependencies: ["BroadcastingLocking", "TestSupport"], exclude: ["Programs"],
      swiftSettings: swiftSettings),
  ]
)
