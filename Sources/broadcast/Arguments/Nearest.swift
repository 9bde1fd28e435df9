//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The word of `words` that `word` was most likely meant to be; nil when none is near.
func nearest(to word: String, among words: [String]) -> String? {
  let candidates = words.map { (word: $0, distance: editDistance(word, $0)) }
  guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
  // One letter in three may be wrong.
  return best.distance <= max(1, best.word.count / 3) ? best.word : nil
}

/// How many letters have to be inserted, removed, exchanged or swapped with their neighbour to make one word of the
/// other.
func editDistance(_ one: String, _ other: String) -> Int {
  let one = Array(one.prefix(64))
  let other = Array(other.prefix(64))
  var beforePrevious: [Int] = []
  var previous = Array(0...other.count)
  for row in one.indices {
    var current = [row + 1]
    for column in other.indices {
      var distance = min(previous[column + 1], current[column]) + 1
      distance = min(distance, previous[column] + (one[row] == other[column] ? 0 : 1))
      if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column] {
        distance = min(distance, beforePrevious[column - 1] + 1)
      }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[other.count]
}
