//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingRedis

@Suite("The URL of a Redis server")
struct RedisURLTests {
  struct Expected: Sendable {
    var place: String
    var isSecure = false
    var user: String?
    var password: String?
    var database = 0
  }

  @Test(
    "is read in its parts, and shown without its secrets",
    arguments: [
      ("redis://", Expected(place: "localhost:6379")),
      ("redis://localhost", Expected(place: "localhost:6379")),
      ("REDISS://Example.org:1", Expected(place: "Example.org:1", isSecure: true)),
      ("redis://a:7000/", Expected(place: "a:7000")),
      ("redis://a:/3", Expected(place: "a:6379", database: 3)),
      ("redis://a?db=4", Expected(place: "a:6379", database: 4)),
      ("redis://[::1]", Expected(place: "[::1]:6379")),
      ("redis://[::1]:7000/2", Expected(place: "[::1]:7000", database: 2)),
      ("redis://[fe80::1%25eth0]", Expected(place: "[fe80::1%eth0]:6379")),
      ("redis://:word@a", Expected(place: "a:6379", password: "word")),
      ("redis://me:word@a/1", Expected(place: "a:6379", user: "me", password: "word", database: 1)),
      ("redis://me:@a", Expected(place: "a:6379", user: "me", password: "")),
      ("redis://:@a", Expected(place: "a:6379")),
      ("redis://@a", Expected(place: "a:6379")),
      ("redis://m%3Ae:p%40%2F%3f%25%C3%A9@a", Expected(place: "a:6379", user: "m:e", password: "p@/?%é")),
      ("redis://u:p:q@a", Expected(place: "a:6379", user: "u", password: "p:q")),
      ("unix:///run/redis.sock", Expected(place: "/run/redis.sock")),
      ("unix:///run/a%20b?db=2", Expected(place: "/run/a b", database: 2)),
      ("unix://me:word@/run/redis.sock", Expected(place: "/run/redis.sock", user: "me", password: "word")),
    ])
  func parts(text: String, expected: Expected) throws {
    let url = try RedisURL(BackendURL(text))
    #expect(url.description == expected.place)
    #expect(url.isSecure == expected.isSecure)
    #expect(url.user == expected.user)
    #expect(url.password == expected.password)
    #expect(url.database == expected.database)
  }

  @Test(
    "is refused where it is none, without a secret in the error",
    arguments: [
      "http://a", "redis://a:0", "redis://a:65536", "redis://a:x", "redis://a:+1", "redis://a/x", "redis://a/-1",
      "redis://a/1/2", "redis://a/99999999999", "redis://a/1?db=1", "redis://a?db=", "redis://a?db=1&db=2",
      "redis://a?db",
      "redis://a?timeout=1", "redis://a#b", "redis://[::1", "redis://[::1]x", "redis://[1.2.3.4]", "redis://::1",
      "redis://a b", "redis://ä", "redis://me@a", "redis://:secret%@a", "redis://:secret%4@a", "redis://:secret%+1@a",
      "redis://:secret%ff@a", "redis://u:secret:7@x:7:7", "redis://secret@h", "redis://:secret",
      "redis://a:secret", "redis://secret#x@h", "redis://secret/x@h", "redis://h/secret", "redis://user:secret/x@a",
      "unix://", "unix:///",
      "unix://host/path", "unix:///a%00", "unix:///\(String(repeating: "a", count: 200))",
    ])
  func refused(text: String) {
    let error = #expect(throws: BroadcastError.self) { try RedisBroadcast(text) }
    #expect(error?.code == .invalidURL)
    #expect(error?.description.contains("secret") == false, "\(error?.description ?? "")")
  }

  @Test(
    "with a password that is not encoded it says so, and how to",
    arguments: [
      "redis://user:secret/x@h", "redis://user:secret?x@h", "redis://:7/secret@h", "redis://user:1?secret@h:6379/1",
      "redis://user:secret/x",
    ])
  func notEncoded(text: String) {
    let error = #expect(throws: BroadcastError.self) { try RedisBroadcast(text) }
    for escape in ["%40", "%3A", "%2F", "%3F"] { #expect(error?.message.contains(escape) == true) }
    #expect(error?.message.contains("secret") == false)
    if text.contains("@") { #expect(error?.message.contains("password is not encoded") == true) }
  }

  @Test("an option that is not known is told with the one that is")
  func options() {
    let error = #expect(throws: BroadcastError.self) { try RedisBroadcast("redis://a?x=1") }
    #expect(error?.message.contains("db") == true)
  }
}
