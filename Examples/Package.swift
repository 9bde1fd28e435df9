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

/// A program, whose sources and resources lie in `folder`. Of what it uses, names that begin with "Broadcasting" are products of
/// the library, the others targets of this package.
func program(
  _ name: String, _ target: String, in folder: String, uses: [String], resources: [Resource] = []
) -> (product: Product, target: Target) {
  let dependencies: [Target.Dependency] = uses.map { name in
    name.hasPrefix("Broadcasting") ? .product(name: name, package: "swift-broadcast") : .byName(name: name)
  }
  return (
    .executable(name: name, targets: [target]),
    .executableTarget(
      name: target, dependencies: dependencies, path: folder, resources: resources, swiftSettings: swiftSettings)
  )
}

let page: [Resource] = ["index.html", "app.css", "app.js"].map { .embedInCode("Page/\($0)") }
let pageAndMigration = page + [.embedInCode("migration.sql")]

let programs = [
  // LiveOrders
  program(
    "live-orders", "LiveOrders", in: "LiveOrders/Server",
    uses: ["BroadcastingJSON", "BroadcastingPostgres", "BroadcastingServer", "Database"],
    resources: pageAndMigration),

  // PushAndEvents
  program(
    "push-events", "PushAndEvents", in: "PushAndEvents/Server",
    uses: ["BroadcastingKafka", "BroadcastingPostgres", "BroadcastingRedis", "BroadcastingServer"]),
  program(
    "push-events-subscriber", "PushAndEventsSubscriber", in: "PushAndEvents/Subscriber",
    uses: ["BroadcastingClient", "BroadcastingJSON"]),

  // Todos
  program(
    "todos", "Todos", in: "Todos/Server",
    uses: ["BroadcastingJSON", "BroadcastingPostgres", "BroadcastingServer", "Database"],
    resources: pageAndMigration),

  // Chat
  program(
    "chat", "Chat", in: "Chat/Server", uses: ["BroadcastingJSON", "BroadcastingRedis", "BroadcastingServer"],
    resources: page),

  // RequestsOverWebSocket
  program(
    "users", "Users", in: "RequestsOverWebSocket/Server",
    uses: ["BroadcastingPostgres", "BroadcastingServer", "Database"],
    resources: pageAndMigration),
]

let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  products: programs.map(\.product),
  dependencies: [.package(name: "swift-broadcast", path: "..")],
  targets: [
    // SQL for the examples that keep their state in PostgreSQL.
    .systemLibrary(name: "CPostgres", path: "CPostgres", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    .target(
      name: "Database", dependencies: ["CPostgres", .product(name: "BroadcastingServer", package: "swift-broadcast")],
      path: "Database", swiftSettings: swiftSettings),
    .testTarget(name: "DatabaseTests", dependencies: ["Database"], swiftSettings: swiftSettings),
    .testTarget(name: "ChatTests", dependencies: ["Chat"], swiftSettings: swiftSettings),
  ] + programs.map(\.target)
)
