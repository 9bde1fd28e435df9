//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a server's answer means: nothing, or an error for the caller.
struct ServerAnswers: Sendable {
  /// What was asked for. The same status can mean different things.
  enum Question: Sendable, Hashable {
    case probe
    case push(Channel)
    case events(Channel)
    case history(Channel)
  }

  let url: ServerURL

  /// Nil for the answer that was hoped for. A 101 is judged by the handshake.
  func error(_ response: HTTPResponse, to question: Question) -> BroadcastError? {
    let said = AnswerText.error(response.body)
    switch question {
    case .probe where response.status == .upgradeRequired && said?.code == "upgrade_required": return nil
    case .push(let channel)
    where response.status == .ok && AnswerText.confirms(response.body, channel.name):
      return nil
    default: break
    }
    let retryAfter =
      response.status == .serviceUnavailable || response.status == .tooManyRequests
      ? RetryAfter.pause(response.headers, now: time(nil)) : nil
    let refusal = ServerRefusal(
      status: response.status.code, code: said?.code, message: said?.message, retryAfter: retryAfter)
    // A server of ours without the endpoint: one of before, or one that has switched it off.
    var isWithoutHistories = false
    if case .history = question { isWithoutHistories = refusal.status == 404 && refusal.code == "not_found" }
    let kind = isWithoutHistories ? Self.noHistories : Self.kind(refusal)
    var text = "\(url) answered \(response.status) to \(Self.name(question))"
    if let message = said?.message { text += ": \(message)" } else { text += "." }
    text += advice(refusal, response, question).map { " \($0)" } ?? ""
    var error = BroadcastError(kind.code, text, isRetriable: kind.isRetriable, underlying: refusal)
    if case .push = question { error.outcome = kind.outcome }
    return error
  }

  // MARK: The table

  private static let noHistories: (code: BroadcastError.Code, isRetriable: Bool, outcome: BroadcastError.Outcome) = (
    .unsupportedHistory, false, .notSent
  )

  private static func kind(
    _ refusal: ServerRefusal
  ) -> (code: BroadcastError.Code, isRetriable: Bool, outcome: BroadcastError.Outcome) {
    switch refusal.status {
    case 400 where refusal.code == "invalid_channel": (.invalidChannel, false, .notSent)
    case 400 where refusal.code == "invalid_text": (.invalidText, false, .notSent)
    case 404 where refusal.code == "no_history": (.unsupportedHistory, false, .notSent)
    case 400 where refusal.code == "invalid_position": (.invalidPosition, false, .notSent)
    case 413: (.messageTooLarge, false, .notSent)
    // There were too many of them, so this one was not looked at.
    case 429: (.unavailable, true, .notSent)
    // A server of ours says which it is. A proxy says the same of a server that it lost with the request under way.
    case 408, 503: (.unavailable, true, [nil, "unconfirmed"].contains(refusal.code) ? .unconfirmed : .notSent)
    case 501, 505, 511: (.refused, false, .notSent)
    // A proxy lost the server with the request under way, or the server failed in the middle of it.
    case 500...: (.unavailable, true, .unconfirmed)
    // A success, but not in our words: a proxy may have changed what a server said that took it.
    case 200...299: (.refused, false, .unconfirmed)
    // Whoever said this took no message.
    default: (.refused, false, .notSent)
    }
  }

  private static func name(_ question: Question) -> String {
    switch question {
    case .probe: "the first request"
    case .push(let channel): "a message for the channel \(AnswerText.clean(channel.name))"
    case .history(let channel): "a question for the history of \(AnswerText.clean(channel.name))"
    case .events(let channel): "a subscription to the channel \(AnswerText.clean(channel.name))"
    }
  }

  private func advice(_ refusal: ServerRefusal, _ response: HTTPResponse, _ question: Question) -> String? {
    switch (refusal.status, question) {
    case (300...399, _):
      let place = response.headers["Location"].map(Self.withoutSecrets) ?? "nowhere"
      return "It sends to \(place), which is not followed: use that URL, if the server is there."
    case (401, _), (407, _): return "It asks for credentials: look at those of the URL or of the headers."
    case (403, .probe): return "The credentials are wrong or missing, or this machine may not use the server."
    case (404, .history) where refusal.code == "no_history": return nil
    case (404, .history) where refusal.code == "not_found":
      return "It serves no histories: it is older than them, has them switched off, or at another path."
    case (404, _), (405, _):
      return "There is no server of broadcasts at this URL, or below another path: it ends before /push and /events."
    case (413, _) where refusal.code == nil: return "A proxy in front takes no message of this size."
    case (426, .events): return "A proxy in front does not pass on Upgrade, which a WebSocket needs."
    case (502, _), (504, _): return "The proxy there cannot reach the server."
    case (200...299, _), (426, _):
      return "That is no server of broadcasts. Is the URL right? A network that wants a login first answers so too."
    default: return nil
    }
  }

  /// A place without user, password and query.
  private static func withoutSecrets(_ location: String) -> String {
    var text = location.prefix { $0 != "?" && $0 != "#" }
    // It may begin with them too, for the same scheme (RFC 3986 section 4.2).
    if let slashes = text.firstRange(of: "//"), case let rest = text[slashes.upperBound...] {
      let authority = rest.prefix { $0 != "/" }
      if let at = authority.lastIndex(of: "@") {
        text = text[..<slashes.upperBound] + rest[rest.index(after: at)...]
      }
    }
    return AnswerText.clean(String(text))
  }
}
