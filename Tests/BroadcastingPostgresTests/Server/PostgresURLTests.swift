//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingPostgres

@Suite("Databases' URLs")
struct PostgresURLTests {
  private func url(_ text: String) throws -> PostgresURL { try PostgresURL(BackendURL(text)) }

  private func refusal(_ text: String) throws -> BroadcastError {
    let error = try #require(throws: BroadcastError.self) { _ = try url(text) }
    #expect(error.code == .invalidURL && !error.isRetriable)
    return error
  }

  @Test("libpq reads it, and adds what it is to add")
  func parameters() throws {
    let url = try url("POSTGRES://me:p%40ss@db.example:6543/shop?sslmode=verify-full&application_name=mine")
    #expect(
      url.parameters == [
        "user": "me", "password": "p@ss", "host": "db.example", "port": "6543", "dbname": "shop",
        "sslmode": "verify-full", "application_name": "mine",
      ])
    #expect(url.description == "db.example:6543/shop")
    let address = PostgresAddress(host: "db.example", hostAddress: "192.0.2.7", port: "6543")
    let all = url.parameters(for: address)
    #expect(all["hostaddr"] == "192.0.2.7" && all["host"] == "db.example" && all["password"] == "p@ss")
    #expect(all["client_encoding"] == "UTF8" && all["fallback_application_name"] == "swift-broadcast")
    #expect(all["keepalives_idle"] == "15" && all["gssencmode"] == "disable")
  }

  @Test("what the URL says of a line goes before what is added, except for the encoding")
  func precedence() throws {
    let url = try url(
      "postgresql://h/d?keepalives_idle=60&fallback_application_name=x&gssencmode=require&client_encoding=LATIN1")
    let all = url.parameters(for: PostgresAddress(host: nil, hostAddress: nil, port: "5432"))
    #expect(all["keepalives_idle"] == "60" && all["fallback_application_name"] == "x")
    #expect(all["gssencmode"] == "require" && all["client_encoding"] == "UTF8")
  }

  @Test("connect_timeout has libpq's rules")
  func connectTimeout() throws {
    #expect(try url("postgres://h/d?connect_timeout=7").connectTimeout == .seconds(7))
    #expect(try url("postgres://h/d?connect_timeout=1").connectTimeout == .seconds(2))
    #expect(try url("postgres://h/d?connect_timeout=0").connectTimeout == nil)
    #expect(try url("postgres://h/d").connectTimeout == nil)
    #expect(try refusal("postgres://h/d?connect_timeout=soon").message.contains("connect_timeout"))
  }

  @Test("several hosts have their order, ports and addresses")
  func hosts() throws {
    let several = try url("postgres://u@a:1,b:2,[2001:db8::1]:3/d?hostaddr=192.0.2.1,,2001:db8::1")
    #expect(
      several.hosts == [
        PostgresHost(name: "a", address: "192.0.2.1", port: "1"), PostgresHost(name: "b", address: nil, port: "2"),
        PostgresHost(name: "2001:db8::1", address: "2001:db8::1", port: "3"),
      ])
    #expect(several.description == "a:1,b:2,[2001:db8::1]:3/d")
    #expect(several.hosts.map(\.needsLookUp) == [false, true, false])
    #expect(try url("postgres://u@a,b:7/d").hosts.map(\.port) == ["5432", "7"])
  }

  @Test("a Unix socket is not looked up")
  func socket() throws {
    let url = try url("postgres://u@%2Fvar%2Frun/d")
    #expect(url.hosts == [PostgresHost(name: "/var/run", address: nil, port: "5432")])
    #expect(!url.hosts[0].needsLookUp)
  }

  @Test("an error says what is wrong")
  func errors() throws {
    #expect(try refusal("postgres://h/d?nonsense=1").message.contains(#""nonsense""#))
    #expect(try refusal("postgres://h/d?sslmode=sometimes").message.contains("sslmode"))
    #expect(try refusal("postgres://h:70000/d").message.contains("65535"))
    #expect(try refusal("postgres://a,b/d?hostaddr=192.0.2.1").message.contains("hostaddr"))
    #expect(try refusal("postgres://h/d?target_session_attrs=none").message.contains("target_session_attrs"))
  }

  @Test(
    "an error never repeats a password",
    arguments: [
      "postgres://u:hunter2%ZZ@h/d", "postgres://u:hunter2@h:70000/d", "postgres://u:hunter2@h/d?nonsense=1",
      "postgres://u@h/d?password=hunter2%ZZ", "postgres://u:hunter2@[h/d", "postgres://u:hunter2@h/d?sslmode=hm",
      "postgres://u:hunter2@h/d?=hunter2", "postgres://u@h/d?password=hunter2=",
    ])
  func secrets(text: String) throws {
    #expect(try !"\(refusal(text))".contains("hunter2"))
  }

  @Test(
    "no piece of a password that is not encoded is taken for a host, a port or a database, or repeated",
    arguments: [
      "postgres:hunter/zwei@localhost", "postgres:1234/zwei@localhost", "postgres:hunter@zwei@localhost",
      "postgres:hunter2@zwei@localhost/d", "postgres:hunter/zw@ei@localhost/d", "postgres:1?2@zwei@localhost/d",
      "postgres:hunter/a?zwei=1@localhost", "postgres:hunter/a?zwei@localhost", "postgres:hunter",
    ])
  func pieces(rest: String) throws {
    let text = try "\(refusal("postgres://\(rest)"))"
    #expect(!text.contains("hunter") && !text.contains("zwei") && !text.contains("1234"))
    #expect(text.contains("%40") || rest.contains("?"))
  }

  @Test("an @ is welcome where it is no part of a password")
  func at() throws {
    #expect(try url("postgres://h:1/d?user=me@corp").parameters["user"] == "me@corp")
    #expect(try url("postgres://a?b:c?d@h:1/d").parameters["password"] == "c?d")
    #expect(try url("postgres://me%40corp:p%40%2F@h/d%40").parameters["dbname"] == "d@")
  }
}
