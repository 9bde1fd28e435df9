//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Foundation

/// Todos over HTTP, and as WebSockets at the same paths.
struct TodoAPI: Sendable {
  private let todos: TodoStore

  init(_ todos: TodoStore) { self.todos = todos }

  func add(to routes: inout Routes) {
    routes.mount("/api/todos") { routes in
      routes.check { request in
        // Whatever changes something is for pages of this server alone. Sockets are by themselves.
        if request.http.method != .get { try request.checkOrigin() }
      }
      routes.get("/") { _ in .json(text: try await todos.all().text) }
      routes.post("/", create)
      routes.put("/") { request in
        let input = try TodoInput(request)
        guard let completed = input.completed, input.title == nil else {
          throw RequestError(.badRequest, "missing_field", "Of all todos only completed can be set, and has to be.")
        }
        try await todos.completeAll(completed)
        return .empty(.noContent)
      }
      routes.delete("/") { request in
        guard try request.query()["completed"] == "true" else {
          throw RequestError(
            .badRequest, "missing_parameter", "Only completed todos are deleted at once: ?completed=true.")
        }
        try await todos.deleteCompleted()
        return .empty(.noContent)
      }
      routes.get("/:id") { request in .json(text: try await todos.one(try request.todo).text) }
      routes.put("/:id") { request in .json(text: try await todos.update(try request.todo, TodoInput(request))) }
      routes.delete("/:id") { request in
        try await todos.delete(try request.todo)
        return .empty(.noContent)
      }

      routes.live("/") { _ in LiveResource(.todos, sharedName: "all") { try await todos.all() } }
      routes.live("/:id") { request in
        let id = try request.todo
        return LiveResource(.todos, key: id.uuidString.lowercased(), sharedName: "one") { try await todos.one(id) }
      }
    }
  }

  private func create(_ request: Request) async throws -> HTTPResponse {
    let input = try TodoInput(request)
    guard let title = input.title else {
      throw RequestError(.badRequest, "missing_title", "A todo needs a title.")
    }
    let todo = try await todos.create(title, completed: input.completed ?? false)
    return .json(text: todo.json, status: .created, headers: ["Location": "/api/todos/\(todo.id)/"])
  }
}

extension Request {
  /// What the path names. What is no UUID is nobody's.
  fileprivate var todo: UUID {
    get throws {
      guard let id = UUID(uuidString: try parameter("id")) else { throw RequestError.noTodo }
      return id
    }
  }
}

extension HTTPResponse {
  fileprivate static func json(
    text: String, status: HTTPStatus = .ok, headers: HTTPHeaders = [:]
  ) -> HTTPResponse {
    .json(Array(text.utf8), status: status, headers: headers)
  }
}
