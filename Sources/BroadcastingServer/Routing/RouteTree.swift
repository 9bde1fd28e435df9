//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is registered, as a tree of segments. Looking up visits a node at most once, whatever the path, and goes no
/// deeper than the deepest pattern.
struct RouteTree<Value> {
  fileprivate struct Node {
    /// In the order of their bytes.
    var literals: [(segment: [UInt8], node: Int)] = []
    var parameter: (name: String, node: Int)?
    var resource: RouteResource<Value>?
  }

  private var nodes = [Node()]
  private(set) var depth = 0

  struct Match {
    var resource: RouteResource<Value>
    var parameters: RouteParameters
  }

  /// The name that another route gave to the parameter where `pattern` has one of another name.
  func conflictingParameter(with pattern: RoutePattern) -> String? {
    var node = 0
    for segment in pattern.segments {
      switch segment {
      case .literal(let literal):
        guard let child = nodes[node].literals.first(where: { $0.segment == literal }) else { return nil }
        node = child.node
      case .parameter(let name):
        guard let child = nodes[node].parameter else { return nil }
        guard child.name == name else { return child.name }
        node = child.node
      }
    }
    return nil
  }

  /// Puts `value` in its place. The pattern must have no conflicting parameter.
  /// - Returns: false when there is a value in this place already; it stays.
  mutating func insert(_ kind: RouteKind, _ pattern: RoutePattern, _ value: Value) -> Bool {
    let node = node(for: pattern)
    var resource = nodes[node].resource ?? RouteResource()
    guard !resource.has(kind) else { return false }
    resource.set(value, for: kind)
    nodes[node].resource = resource
    return true
  }

  private mutating func node(for pattern: RoutePattern) -> Int {
    depth = max(depth, pattern.segments.count)
    var node = 0
    for segment in pattern.segments {
      let next: Int
      switch segment {
      case .literal(let literal):
        let place = nodes[node].literals.firstIndex { !$0.segment.lexicographicallyPrecedes(literal) }
        if let place, nodes[node].literals[place].segment == literal {
          next = nodes[node].literals[place].node
        } else {
          next = nodes.count
          nodes[node].literals.insert((literal, next), at: place ?? nodes[node].literals.count)
          nodes.append(Node())
        }
      case .parameter(let name):
        if let child = nodes[node].parameter {
          next = child.node
        } else {
          next = nodes.count
          nodes[node].parameter = (name, next)
          nodes.append(Node())
        }
      }
      node = next
    }
    return node
  }

  func find(_ path: RoutePath) -> Match? {
    path.bytes.withUnsafeBufferPointer { bytes in
      var parameters = RouteParameters()
      return find(path.segments[...], in: bytes, from: 0, &parameters).map {
        Match(resource: $0, parameters: parameters)
      }
    }
  }

  /// The literal segment goes first; when nothing fits behind it, the parameter has its turn.
  private func find(
    _ segments: ArraySlice<Range<Int>>, in bytes: UnsafeBufferPointer<UInt8>, from index: Int,
    _ parameters: inout RouteParameters
  ) -> RouteResource<Value>? {
    guard let range = segments.first else { return nodes[index].resource }
    let segment = UnsafeBufferPointer(rebasing: bytes[range])
    if let child = literal(segment, at: index),
      let resource = find(segments.dropFirst(), in: bytes, from: child, &parameters)
    {
      return resource
    }
    guard let child = nodes[index].parameter, !segment.isEmpty else { return nil }
    parameters.append(child.name, String(decoding: segment, as: UTF8.self))
    if let resource = find(segments.dropFirst(), in: bytes, from: child.node, &parameters) { return resource }
    parameters.removeLast()
    return nil
  }

  private func literal(_ segment: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
    var low = 0
    var high = nodes[index].literals.count
    while low < high {
      let middle = (low + high) / 2
      switch Self.compare(nodes[index].literals[middle].segment, segment) {
      case 0: return nodes[index].literals[middle].node
      case ..<0: low = middle + 1
      default: high = middle
      }
    }
    return nil
  }

  private static func compare(_ one: [UInt8], _ other: UnsafeBufferPointer<UInt8>) -> Int {
    for index in 0..<min(one.count, other.count) where one[index] != other[index] {
      return one[index] < other[index] ? -1 : 1
    }
    return one.count - other.count
  }
}

extension RouteTree: Sendable where Value: Sendable {}
extension RouteTree.Node: Sendable where Value: Sendable {}
