//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// What can be asked of users.
struct UserRoutes: Sendable {
  let users: Users
  let admin: Admin

  func add(to routes: inout Routes) {
    routes.get("/user/list") { request in
      try await answer {
        try await users.list(
          after: request.number("after", default: 0, in: 0...Int(Int32.max)),
          limit: request.number("limit", default: 100, in: 1...500))
      }
    }
    routes.get("/user/:id") { request in
      try await answer { try await users.user(request.id("user")) }
    }
    routes.post("/user", on: .pool) { request in
      let fields = try request.input(UserFields.self)
      try fields.validate()
      return try await answer(.created, at: { "/user/\($0.id)" }) { try await users.create(fields) }
    }
    routes.put("/user/:id", on: .pool) { request in
      let fields = try request.input(UserFields.self)
      try fields.validate()
      guard !fields.isEmpty else {
        throw RequestError(.unprocessableContent, "no_data", "Nothing is said that could be changed.")
      }
      return try await answer { try await users.update(request.id("user"), fields) }
    }
    routes.mount("/user") { routes in
      routes.check(admin.check)
      routes.delete("/:id") { request in
        try await answer { try await users.delete(request.id("user")) }
      }
    }
  }
}
