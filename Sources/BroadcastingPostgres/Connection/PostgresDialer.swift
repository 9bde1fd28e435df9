//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Opens connections to the first of the URL's hosts that takes them.
struct PostgresDialer: Sendable {
  /// An address gets at least this, where there is as much left.
  private static let leastTime = Duration.seconds(2)

  private let url: PostgresURL
  private let limit: Duration
  private let loop: EventLoop

  /// - Parameter limit: How long opening one connection may take, the look-up of names included. A `connect_timeout` of the
  ///   URL takes its place, for each address.
  init(_ url: PostgresURL, limit: Duration, on loop: EventLoop) {
    self.url = url
    self.limit = limit
    self.loop = loop
  }

  var place: String { url.description }

  /// What an error says of the time.
  private var patience: String {
    if let timeout = url.connectTimeout { return "each address has \(timeout) (connect_timeout)" }
    return "both its connections have \(limit) each, all addresses together"
  }

  /// Opens a connection to one address after the other, each with a fair part of the time that is left.
  func open(running statements: String) async throws(BroadcastError) -> (PostgresLine, PostgresAddress) {
    let end = loop.now + limit
    let addresses = try await addresses()
    var last: BroadcastError?
    for (index, address) in addresses.enumerated() {
      let left = end - loop.now
      let share = url.connectTimeout ?? max(left / (addresses.count - index), min(left, Self.leastTime))
      do throws(LineFailure) {
        return (try await open(at: address, running: statements, within: share), address)
      } catch {
        last = PostgresError.connecting(error, to: address, within: patience)
        // Another host has the same users and databases, and a task that was cancelled wants none.
        if !error.isRetriable || Task.isCancelled { break }
      }
    }
    throw last ?? PostgresError.noAddress(place)
  }

  func open(running statements: String, at address: PostgresAddress) async throws(BroadcastError) -> PostgresLine {
    do throws(LineFailure) {
      return try await open(at: address, running: statements, within: url.connectTimeout ?? limit)
    } catch {
      throw PostgresError.connecting(error, to: address, within: patience)
    }
  }

  /// Runs more statements on a connection that was opened, in as much time.
  func run(
    _ statements: String, on line: PostgresLine, at address: PostgresAddress
  ) async throws(BroadcastError) {
    do throws(LineFailure) { try await line.run(statements, within: limit) } catch {
      throw PostgresError.connecting(error, to: address, within: patience)
    }
  }

  private func open(
    at address: PostgresAddress, running statements: String, within time: Duration
  ) async throws(LineFailure) -> PostgresLine {
    try await PostgresLine.open(url.parameters(for: address), running: statements, on: loop, within: time)
  }

  // MARK: Names

  /// All addresses of all hosts. One whose name is not known does not hold up the others.
  private func addresses() async throws(BroadcastError) -> [PostgresAddress] {
    var addresses: [PostgresAddress] = []
    var failure: NetworkError?
    for host in url.hosts {
      guard host.needsLookUp, let name = host.name else {
        addresses.append(PostgresAddress(host: host.name, hostAddress: host.address, port: host.port))
        continue
      }
      do throws(NetworkError) {
        for found in try await lookUp(name) {
          addresses.append(PostgresAddress(host: name, hostAddress: found.host, port: host.port))
        }
      } catch {
        failure = error
        if error.code == .cancelled { throw .cancelled }
      }
    }
    if addresses.isEmpty, let failure { throw PostgresError.lookUp(failure, of: place) }
    return addresses
  }

  /// The system's look-up has a patience of its own, which is longer than ours.
  private func lookUp(_ name: String) async throws(NetworkError) -> [SocketAddress] {
    let limit = limit / url.hosts.count
    let result = await withTaskGroup(of: Result<[SocketAddress], NetworkError>.self) { [loop] group in
      group.addTask(executorPreference: loop) {
        do throws(NetworkError) { return .success(try await SocketAddress.lookUp(name, port: 0)) } catch {
          return .failure(error)
        }
      }
      group.addTask(executorPreference: loop) {
        do throws(NetworkError) { try await loop.sleep(for: limit) } catch { return .failure(error) }
        return .failure(NetworkError(.timedOut, "look-up of \(name): no answer within \(limit)"))
      }
      defer { group.cancelAll() }
      return await group.next() ?? .failure(NetworkError(.cancelled, "look-up of \(name)"))
    }
    return try result.get()
  }
}
