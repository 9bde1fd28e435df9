//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingServer

@Suite("The router")
struct RouterTests {
  /// A router in which each GET of `patterns` is answered by its own pattern.
  private func router(_ patterns: String...) throws -> Router<String> {
    var router = Router<String>()
    for pattern in patterns { try router.add(.method("GET"), pattern, pattern) }
    return router
  }

  /// What a router says, as a line.
  private func ask(
    _ router: Router<String>, _ path: String, by method: String = "GET", wantsSocket: Bool = false,
    parameters: String...
  ) -> String {
    switch router.match(method, path.utf8, wantsSocket: wantsSocket) {
    case .found(let value, let found):
      ([value] + parameters.map { "\($0)=\(found[$0] ?? "nil")" }).joined(separator: " ")
    case .notFound: "404"
    case .methodNotAllowed(let allow): "405 \(allow)"
    case .options(let allow): "options \(allow)"
    case .upgradeRequired: "426"
    case .malformedPath: "400"
    }
  }

  @Test(
    "a path that is spelt out is found, with a slash at its end or without",
    arguments: [
      ("/", "/"), ("/push", "/push"), ("/push/", "/push"), ("/a/b", "/a/b"), ("/a/b/", "/a/b"), ("/pushed", "404"),
      ("/pus", "404"),
      ("/PUSH", "404"), ("/a", "404"), ("/a/b/c", "404"), ("//", "404"), ("//push", "404"), ("/push//", "404"),
      ("/a//b", "404"),
      ("/./push", "404"), ("/a/../push", "404"), ("push", "400"), ("", "400"), ("*", "400"),
    ])
  func literals(path: String, answer: String) throws {
    #expect(ask(try router("/", "/push", "/a/b"), path) == answer)
  }

  @Test("a slash at the end of a pattern says nothing")
  func trailingSlashOfPattern() throws {
    let router = try router("/a/")
    #expect(ask(router, "/a") == "/a/")
    #expect(ask(router, "/a/") == "/a/")
  }

  @Test("a parameter takes one segment that is not empty")
  func parameters() throws {
    let router = try router("/chat/:room", "/chat/:room/:user/edit")
    #expect(ask(router, "/chat/a", parameters: "room") == "/chat/:room room=a")
    #expect(ask(router, "/chat/a/", parameters: "room") == "/chat/:room room=a")
    #expect(
      ask(router, "/chat/a/b/edit", parameters: "room", "user", "x") == "/chat/:room/:user/edit room=a user=b x=nil")
    #expect(ask(router, "/chat") == "404")
    #expect(ask(router, "/chat/") == "404")
    #expect(ask(router, "/chat//b/edit") == "404")
    #expect(ask(router, "/chat/a/b") == "404")
  }

  @Test("a segment that is spelt out goes before a parameter, and there is a way back", arguments: [false, true])
  func precedence(isReversed: Bool) throws {
    var patterns = ["/a/:x/c", "/a/b/d", "/a/b", "/a/:x", "/:y/b/e", "/a/b/:z/f/:w"]
    if isReversed { patterns.reverse() }
    var router = Router<String>()
    for pattern in patterns { try router.add(.method("GET"), pattern, pattern) }
    #expect(ask(router, "/a/b") == "/a/b")
    #expect(ask(router, "/a/x", parameters: "x") == "/a/:x x=x")
    #expect(ask(router, "/a/b/d") == "/a/b/d")
    #expect(ask(router, "/a/b/c", parameters: "x", "z") == "/a/:x/c x=b z=nil")
    #expect(ask(router, "/a/b/e", parameters: "y", "x", "z") == "/:y/b/e y=a x=nil z=nil")
    #expect(ask(router, "/a/b/c/f/g", parameters: "z", "w") == "/a/b/:z/f/:w z=c w=g")
    #expect(ask(router, "/a/b/c/f") == "404")
  }

  @Test(
    "escapes are resolved within their segment",
    arguments: [
      ("/x/a%20b", "a b"), ("/x/a%2Fb", "a/b"), ("/x/%C3%A9", "é"), ("/x/%f0%9f%98%80", "😀"), ("/x/%25", "%"),
      ("/x/a+b", "a+b"),
      ("/x/%00", "\u{0}"), ("/%78/y", "y"), ("/x/:y", ":y"), ("/x/%2e%2e", ".."), ("/x/é", "é"),
    ])
  func resolvesEscapes(path: String, value: String) throws {
    #expect(ask(try router("/x/:v"), path, parameters: "v") == "/x/:v v=\(value)")
  }

  @Test(
    "a path with bad escapes is malformed",
    arguments: ["/x/%", "/x/%2", "/x/%zz", "/x/%2g", "/x/%ff", "/x/%C3", "/%/y", "/x/%+1"])
  func refusesBadEscapes(path: String) throws {
    #expect(ask(try router("/x/:v"), path) == "400")
  }

  @Test("a pattern may be written with escapes or without")
  func escapedPatterns() throws {
    let router = try router("/caf%C3%A9", "/the/über", "/a%2Fb", "/%3Ax", "/%2A")
    #expect(ask(router, "/caf%c3%a9") == "/caf%C3%A9")
    #expect(ask(router, "/the/%C3%BCber") == "/the/über")
    #expect(ask(router, "/a%2fb") == "/a%2Fb")
    #expect(ask(router, "/a/b") == "404")
    #expect(ask(router, "/:x") == "/%3Ax")
    #expect(ask(router, "/*") == "/%2A")
  }

  @Test("a path has a value for each method, and one for its socket")
  func methods() throws {
    var router = Router<String>()
    try router.add(.method("GET"), "/a", "get")
    try router.add(.method("POST"), "/a", "post")
    try router.add(.socket, "/a", "socket")
    #expect(ask(router, "/a", by: "GET") == "get")
    #expect(ask(router, "/a", by: "HEAD") == "get")
    #expect(ask(router, "/a", by: "POST") == "post")
    #expect(ask(router, "/a", by: "GET", wantsSocket: true) == "socket")
    #expect(ask(router, "/a", by: "POST", wantsSocket: true) == "post")
    #expect(ask(router, "/a", by: "DELETE") == "405 GET, HEAD, OPTIONS, POST")
    #expect(ask(router, "/a", by: "get") == "405 GET, HEAD, OPTIONS, POST")
    #expect(ask(router, "/a", by: "OPTIONS") == "options GET, HEAD, OPTIONS, POST")
  }

  @Test("HEAD and OPTIONS go to who registered them")
  func ownHeadAndOptions() throws {
    var router = Router<String>()
    for method in ["GET", "HEAD", "OPTIONS"] { try router.add(.method(method), "/a", method) }
    #expect(ask(router, "/a", by: "HEAD") == "HEAD")
    #expect(ask(router, "/a", by: "OPTIONS") == "OPTIONS")
  }

  @Test("where there is only a socket, a plain request is told to upgrade")
  func socketAlone() throws {
    var router = Router<String>()
    try router.add(.socket, "/events", "socket")
    #expect(ask(router, "/events", by: "GET") == "426")
    #expect(ask(router, "/events", by: "HEAD") == "426")
    #expect(ask(router, "/events", by: "POST") == "405 GET, HEAD, OPTIONS")
    #expect(ask(router, "/events/", by: "GET", wantsSocket: true) == "socket")
  }

  @Test("where there is no socket, the wish for one is ignored")
  func noSocket() throws {
    var router = Router<String>()
    try router.add(.method("GET"), "/a", "get")
    try router.add(.method("POST"), "/b", "post")
    #expect(ask(router, "/a", by: "GET", wantsSocket: true) == "get")
    #expect(ask(router, "/b", by: "GET", wantsSocket: true) == "405 OPTIONS, POST")
  }

  @Test("OPTIONS * tells of all methods that there are")
  func optionsOfAll() throws {
    var router = Router<String>()
    #expect(ask(router, "*", by: "OPTIONS") == "options OPTIONS")
    try router.add(.method("POST"), "/push", "push")
    try router.add(.socket, "/events", "socket")
    #expect(ask(router, "*", by: "OPTIONS") == "options GET, HEAD, OPTIONS, POST")
  }

  @Test("the path is chosen before the method")
  func pathFirst() throws {
    var router = Router<String>()
    try router.add(.method("GET"), "/a/b", "get")
    try router.add(.method("POST"), "/a/:x", "post")
    #expect(ask(router, "/a/b", by: "POST") == "405 GET, HEAD, OPTIONS")
  }

  @Test(
    "a bad pattern is refused with what is wrong",
    arguments: [
      ("", "begins with"), ("a", "begins with"), ("a/b", "begins with"), ("//", "empty"), ("/a//b", "empty"),
      ("/a//", "empty"),
      ("/:", "is no name"), ("/:a-b", "is no name"), ("/:1", "is no name"), ("/:é", "is no name"), ("/:a/:a", "twice"),
      ("/a?b", "\"?\""), ("/a#b", "\"#\""), ("/%", "hexadecimal"), ("/%2", "hexadecimal"), ("/%ff", "UTF-8"),
      ("/*", "%2A"),
      ("/*rest", "%2A"),
    ])
  func badPatterns(pattern: String, words: String) throws {
    var router = Router<String>()
    let error = try #require(throws: RouteError.self) { try router.add(.method("GET"), pattern, "") }
    #expect(error.code == .invalidPattern)
    #expect(error.pattern == pattern)
    #expect(error.message.contains(words), "\(error)")
  }

  @Test("a route that is there already is refused, and the first one stays")
  func duplicates() throws {
    var router = Router<String>()
    try router.add(.method("GET"), "/a/:x", "first")
    try router.add(.socket, "/a/:x", "socket")
    for (kind, pattern) in [(RouteKind.method("GET"), "/a/:x"), (.method("GET"), "/a/:x/"), (.socket, "/%61/:x")] {
      let error = try #require(throws: RouteError.self) { try router.add(kind, pattern, "second") }
      #expect(error.code == .duplicateRoute)
    }
    #expect(ask(router, "/a/b") == "first")
  }

  @Test("two names for one parameter are refused, and leave nothing behind")
  func conflictingNames() throws {
    var router = Router<String>()
    try router.add(.method("GET"), "/a/:x/c", "x")
    let error = try #require(throws: RouteError.self) { try router.add(.method("GET"), "/a/:y/d", "y") }
    #expect(error.code == .conflictingParameter)
    #expect(error.message.contains("\":x\""))
    #expect(ask(router, "/a/b/d") == "404")
    try router.add(.method("GET"), "/a/:x/d", "x too")
    #expect(ask(router, "/a/b/d") == "x too")
  }

  @Test("a method is a token", arguments: ["", " ", "GET ", "G(T", "GÉT", "A/B", "A:B"])
  func badMethods(method: String) throws {
    var router = Router<String>()
    let error = try #require(throws: RouteError.self) { try router.add(.method(method), "/", "") }
    #expect(error.code == .invalidMethod)
  }

  @Test("routes are mounted under a prefix, which may have parameters")
  func mounts() throws {
    var inner = Router<String>()
    try inner.add(.method("GET"), "/", "root")
    try inner.add(.socket, "/events/:id", "socket")
    var router = try router("/team/all")
    try router.mount(inner, under: "/team/:team/")
    try router.mount(inner, under: "/")
    #expect(ask(router, "/team/all") == "/team/all")
    #expect(ask(router, "/team/red/", parameters: "team") == "root team=red")
    #expect(ask(router, "/team/red/events/1", wantsSocket: true, parameters: "team", "id") == "socket team=red id=1")
    #expect(ask(router, "/") == "root")
    #expect(ask(router, "/events/1", wantsSocket: true, parameters: "id") == "socket id=1")
  }

  @Test("a mount that fails leaves the router as it was")
  func failedMount() throws {
    var router = try router("/a/b")
    var inner = Router<String>()
    try inner.add(.method("GET"), "/new", "new")
    try inner.add(.method("GET"), "/b", "b")
    #expect(throws: RouteError.self) { try router.mount(inner, under: "/a") }
    #expect(ask(router, "/a/new") == "404")

    var twice = Router<String>()
    try twice.add(.method("GET"), "/:x", "x")
    #expect(throws: RouteError.self) { try router.mount(twice, under: "/:x") }
  }

  @Test("a path that is deeper than any route is refused without being read to its end")
  func deepPaths() throws {
    let router = try router("/:a/:b")
    #expect(ask(router, String(repeating: "/x", count: 100_000)) == "404")
    #expect(ask(router, "/x/" + String(repeating: "/", count: 100_000)) == "404")
  }

  @Test("many routes beside one another are all found")
  func manyRoutes() throws {
    var router = Router<String>()
    let names = (0..<300).map { "r\($0 * 7_919 % 300)" }
    for name in names { try router.add(.method("GET"), "/\(name)/x", name) }
    for name in names { #expect(ask(router, "/\(name)/x") == name) }
    #expect(ask(router, "/r300/x") == "404")
    #expect(ask(router, "/r/x") == "404")
  }

  @Test("a path comes as any bytes")
  func anyCollection() throws {
    let router = try router("/push")
    guard case .found = router.match("GET", Array("/push?x".utf8)[..<5]) else {
      Issue.record("not found")
      return
    }
    guard case .found = router.match("GET", "/push".utf8.lazy.map { $0 }) else {
      Issue.record("not found")
      return
    }
  }
}
