//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import COpenSSLTLS

/// What OpenSSL left in its queue of errors, which is the thread's: it is emptied here, so that nobody takes it for
/// his own.
struct TLSErrors {
  /// The reason of the first, which is the cause of the others.
  private(set) var reason: Int32 = 0
  private(set) var text = "no reason given"

  static func take() -> TLSErrors {
    var result = TLSErrors()
    let first = ERR_get_error()
    if first != 0 {
      result.reason = copenssl_reason(first)
      if let text = ERR_reason_error_string(first) {
        result.text = String(cString: text)
      } else {
        result.text = "error \(String(first, radix: 16)) of OpenSSL"
      }
    }
    ERR_clear_error()
    return result
  }

  /// The number of the alert that the peer sent (RFC 8446, section 6).
  var alert: Int32? {
    let alert = copenssl_alert(reason)
    return alert < 0 ? nil : alert
  }

  /// Whether the next handshake may well succeed: this one was damaged on its way, or the peer had a fault of its own.
  /// What both sides are and want stays as it is.
  var isPassing: Bool {
    if let alert {
      // RFC 8446, section 6.2.
      return [SSL_AD_BAD_RECORD_MAC, SSL_AD_DECRYPT_ERROR, SSL_AD_INTERNAL_ERROR, SSL_AD_USER_CANCELLED]
        .contains(alert)
    }
    return [SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DIGEST_CHECK_FAILED, SSL_R_BAD_SIGNATURE].contains(reason)
  }

  private var advice: String? {
    if let alert {
      return switch alert {
      case SSL_AD_PROTOCOL_VERSION: "it may speak only versions older than 1.2, which are not safe"
      case SSL_AD_HANDSHAKE_FAILURE, SSL_AD_INSUFFICIENT_SECURITY:
        "it has no encryption in common with this side, or wants a certificate of the client, which is not supported"
      case SSL_AD_UNRECOGNIZED_NAME: "it serves no such name"
      case SSL_AD_CERTIFICATE_REQUIRED: "it wants a certificate of the client, which is not supported"
      case SSL_AD_NO_APPLICATION_PROTOCOL: "it speaks none of the protocols that were offered"
      default: nil
      }
    }
    return switch reason {
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION: "its version of TLS is older than 1.2, which is not safe"
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_BAD_RECORD_TYPE, SSL_R_WRONG_VERSION_NUMBER:
      "what came was damaged or forged on its way, or is no TLS"
    default: nil
    }
  }

  var description: String {
    let said =
      if let alert { "it sent the alert “\(String(cString: SSL_alert_desc_string_long(alert)))”" } else { text }
    return advice.map { "\(said); \($0)" } ?? said
  }
}

extension NetworkError {
  static func tls(_ what: String, errors: TLSErrors) -> NetworkError {
    NetworkError(.tlsFailed, "\(what): \(errors.description)")
  }

  static func handshakeFailed(peer: String, _ errors: TLSErrors) -> NetworkError {
    NetworkError(
      errors.isPassing ? .reset : .tlsFailed, "no secure connection to \(peer): \(errors.description)")
  }

  static func notTLS(peer: String, start: [UInt8]) -> NetworkError {
    NetworkError(
      .tlsFailed,
      "no secure connection to \(peer): what answers there does not speak TLS, it began with “\(printable(start))”")
  }

  /// RFC 8446, section 6.1: without a close_notify an attacker may have cut off what was still to come.
  static func cut(peer: String) -> NetworkError {
    NetworkError(
      .tlsFailed,
      "\(peer) went without the end that TLS prescribes (close_notify): the last of what it sent may be missing")
  }

  /// With an error of the connection, or with none where the peer has finished. That may pass: a balancer in front of a
  /// server that is away does the same.
  static func endedInHandshake(peer: String, _ error: NetworkError?) -> NetworkError {
    if let error {
      return NetworkError(error.code, "no secure connection to \(peer): \(error.message)", errno: error.errno)
    }
    return NetworkError(
      .reset,
      """
      no secure connection to \(peer): it closed the connection in the middle of the handshake; does it speak TLS there?
      """
    )
  }
}

/// Bytes of a peer as a log can show them.
func printable(_ bytes: some Sequence<UInt8>) -> String {
  String(decoding: bytes.map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
}
