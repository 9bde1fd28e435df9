//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS
import TestSupport

/// How a server of the tests speaks.
struct ServerRules: Sendable {
  var files: TestCertificates.Files
  var versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION
  /// Chosen by ALPN if the client offers it.
  var protocolName: String?
  var wantsClientCertificate = false
}

struct ServerSessionError: Error { var message: String }

/// The server's half of TLS on OpenSSL's own memory BIOs: a stranger to the code under test.
final class ServerSession {
  private let context: OpaquePointer
  private let ssl: OpaquePointer
  private let input: OpaquePointer
  private let output: OpaquePointer
  private let protocolName: [UInt8]

  init(_ rules: ServerRules) throws {
    guard let context = SSL_CTX_new(TLS_server_method()), let input = BIO_new(BIO_s_mem()),
      let output = BIO_new(BIO_s_mem())
    else { throw ServerSessionError(message: "no server session") }
    self.context = context
    (self.input, self.output) = (input, output)
    protocolName = rules.protocolName.map { [UInt8(truncatingIfNeeded: $0.utf8.count)] + $0.utf8 } ?? []
    // Old versions need ciphers that are refused by default.
    SSL_CTX_set_security_level(context, 0)
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0")
    SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(rules.versions.lowerBound), nil)
    SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(rules.versions.upperBound), nil)
    SSL_CTX_use_certificate_chain_file(context, rules.files.certificate)
    SSL_CTX_use_PrivateKey_file(context, rules.files.key, SSL_FILETYPE_PEM)
    if rules.wantsClientCertificate {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
    guard let ssl = SSL_new(context) else { throw ServerSessionError(message: "no server session") }
    self.ssl = ssl
    SSL_set_bio(ssl, input, output)
    BIO_ctrl(input, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nil)
    SSL_set_accept_state(ssl)
    if !protocolName.isEmpty {
      SSL_CTX_set_alpn_select_cb(
        context,
        { _, chosen, length, offered, count, wanted in
          guard let chosen, let length, let offered, let wanted else { return SSL_TLSEXT_ERR_NOACK }
          let name = wanted.assumingMemoryBound(to: UInt8.self)
          var found: UnsafeMutablePointer<UInt8>?
          let outcome = SSL_select_next_proto(&found, length, name, UInt32(name[0]) + 1, offered, count)
          chosen.pointee = UnsafePointer(found)
          return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
        }, nameOfProtocol)
    }
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
    nameOfProtocol.deallocate()
  }

  private lazy var nameOfProtocol: UnsafeMutableRawPointer = {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: protocolName.count + 1, alignment: 1)
    memory.copyMemory(from: protocolName, byteCount: protocolName.count)
    return memory
  }()

  func feed(_ bytes: [UInt8]) { BIO_write(input, bytes, Int32(bytes.count)) }

  /// What is to be sent.
  func takeOutput() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
    if !bytes.isEmpty { BIO_read(output, &bytes, Int32(bytes.count)) }
    return bytes
  }

  /// True when it is done.
  func handshake() throws -> Bool {
    ERR_clear_error()
    let status = SSL_do_handshake(ssl)
    if status == 1 { return true }
    if SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ { return false }
    throw ServerSessionError(message: Self.reason)
  }

  /// All that can be decrypted now.
  func read() throws -> [UInt8] {
    ERR_clear_error()
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      var count = 0
      if SSL_read_ex(ssl, &buffer, buffer.count, &count) == 1 {
        all += buffer[..<count]
        continue
      }
      switch SSL_get_error(ssl, 0) {
      case SSL_ERROR_WANT_READ, SSL_ERROR_ZERO_RETURN: return all
      default: throw ServerSessionError(message: Self.reason)
      }
    }
  }

  func write(_ bytes: [UInt8]) {
    ERR_clear_error()
    var count = 0
    SSL_write_ex(ssl, bytes, bytes.count, &count)
  }

  /// New keys (RFC 8446, section 4.6.3); the client is asked for some too.
  func updateKeys() {
    SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
    SSL_do_handshake(ssl)
  }

  /// Asks for another handshake, which TLS 1.2 knows.
  func renegotiate() {
    SSL_renegotiate(ssl)
    SSL_do_handshake(ssl)
  }

  func shutDown() { SSL_shutdown(ssl) }

  var sawCloseNotify: Bool { SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }

  /// The name that the client asked for, if it did.
  var requestedName: String? {
    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
  }

  private static var reason: String {
    ERR_reason_error_string(ERR_get_error()).map { String(cString: $0) } ?? "no reason"
  }
}
