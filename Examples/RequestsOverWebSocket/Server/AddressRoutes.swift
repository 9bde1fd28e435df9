//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// What can be asked of addresses.
struct AddressRoutes: Sendable {
  let addresses: Addresses
  let admin: Admin

  func add(to routes: inout Routes) {
    routes.get("/address/:id") { request in
      try await answer { try await addresses.address(request.id("address")) }
    }
    routes.post("/address", on: .pool) { request in
      let fields = try request.input(AddressFields.self)
      try fields.validate()
      return try await answer(.created, at: { "/address/\($0.id)" }) { try await addresses.create(fields) }
    }
    routes.put("/address/:id", on: .pool) { request in
      let fields = try request.input(AddressFields.self)
      try fields.validate()
      return try await answer { try await addresses.update(request.id("address"), fields) }
    }
    routes.mount("/address") { routes in
      routes.check(admin.check)
      routes.delete("/:id") { request in
        try await answer { try await addresses.delete(request.id("address")) }
      }
    }
  }
}
