// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import PackageDescription

// scripts/check-consumers says where the package lies, as anyone's manifest would name it: by a git URL.
let url = Context.environment["SWIFT_BROADCAST_URL"] ?? ""
let revision = Context.environment["SWIFT_BROADCAST_REVISION"] ?? ""

let package = Package(
  name: "CoreOnly",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: url, revision: revision)],
  targets: [
    .executableTarget(name: "CoreOnly", dependencies: [.product(name: "Broadcasting", package: "swift-broadcast")]),
    .executableTarget(name: "History", dependencies: [.product(name: "Broadcasting", package: "swift-broadcast")]),
  ]
)
