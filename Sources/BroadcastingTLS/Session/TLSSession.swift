//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import COpenSSLTLS

/// The client's half of one TLS connection, without I/O: what came goes in, and what is to be sent comes out.
///
/// After an error nothing more can be done with it but to send ``output``, which may hold the alert for the peer.
final class TLSSession {
  enum Reading: Equatable {
    case bytes(Int)
    /// All that came is used up.
    case needsInput
    /// The peer's close_notify: nothing more will come.
    case ended
  }

  /// The most plaintext of a record: RFC 8446, section 5.1. A buffer of this size takes any record whole, so that
  /// nothing is left inside OpenSSL.
  static let recordSize = 16_384

  let peer: String
  private let ssl: OpaquePointer
  private let buffers = TLSBuffers()
  private let refusal = CertificateRefusal.Witness()
  private let identity: TLSIdentity
  private let trust: TLSConfiguration.Trust
  private var knowsThatItIsTLS = false

  /// - Parameters:
  ///   - peer: whom errors name.
  ///   - protocols: for ALPN (RFC 7301), best first; names of 1 to 255 bytes. Empty: none is offered.
  init(
    _ context: LoadedTLSContext, identity: TLSIdentity, peer: String, protocols: [String]
  ) throws(NetworkError) {
    ERR_clear_error()
    guard let ssl = context.makeConnection() else { throw .tls("could not prepare TLS for \(peer)", errors: .take()) }
    self.ssl = ssl
    self.identity = identity
    self.peer = peer
    trust = context.trust
    guard let bio = buffers.makeBIO() else { throw .tls("could not prepare TLS for \(peer)", errors: .take()) }
    // One reference for both directions.
    SSL_set_bio(ssl, bio, bio)
    SSL_set_connect_state(ssl)
    CertificateRefusal.watch(ssl, refusal)
    for name in protocols where !(1...255).contains(name.utf8.count) {
      throw NetworkError(.tlsFailed, "“\(name)” can't be offered by ALPN, whose names have 1 to 255 bytes")
    }
    if !require(identity) || !offer(protocols) {
      throw .tls("could not prepare TLS for \(peer)", errors: .take())
    }
  }

  deinit { SSL_free(ssl) }

  private func require(_ identity: TLSIdentity) -> Bool {
    let rules = SSL_get0_param(ssl)
    switch identity.kind {
    case .address:
      return X509_VERIFY_PARAM_set1_ip_asc(rules, identity.text) == 1
    case .name:
      // RFC 9525, section 6.3: no part of a label may be left open; section 2: the subject's common name does not
      // count.
      X509_VERIFY_PARAM_set_hostflags(
        rules, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
      // Names only: RFC 6066, section 3.
      return X509_VERIFY_PARAM_set1_host(rules, identity.text, 0) == 1
        && copenssl_set_server_name(ssl, identity.text) == 1
    }
  }

  private func offer(_ protocols: [String]) -> Bool {
    if protocols.isEmpty { return true }
    var list: [UInt8] = []
    for name in protocols {
      list.append(UInt8(clamping: name.utf8.count))
      list += name.utf8
    }
    // Zero is success here, unlike elsewhere.
    return SSL_set_alpn_protos(ssl, list, UInt32(list.count)) == 0
  }

  // MARK: Ciphertext

  /// Whether ciphertext that came has not been looked at.
  var hasInput: Bool { buffers.hasInput }

  /// Lends ciphertext that came while `body` runs. What it leaves is copied.
  func lend<Result, Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try buffers.lend(bytes, body)
  }

  /// Records to send, oldest first.
  var output: [[UInt8]] { buffers.output }

  func clearOutput() { buffers.clearOutput() }

  // MARK: The handshake

  /// Goes on as far as it can. True if it is done.
  func handshake() throws(NetworkError) -> Bool {
    try lookAtFirstByte()
    ERR_clear_error()
    let status = SSL_do_handshake(ssl)
    if status == 1 { return true }
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ: return false
    case SSL_ERROR_ZERO_RETURN: throw .endedInHandshake(peer: peer, nil)
    default: break
    }
    let errors = TLSErrors.take()
    let verdict = SSL_get_verify_result(ssl)
    if verdict != Int(X509_V_OK) {
      throw NetworkError(
        .certificateRefused, refusal.message(verdict: Int32(verdict), identity: identity, peer: peer, trust: trust))
    }
    throw .handshakeFailed(peer: peer, errors)
  }

  /// Whoever speaks another protocol is told so by name; OpenSSL would say, for instance, “wrong version number”.
  private func lookAtFirstByte() throws(NetworkError) {
    guard !knowsThatItIsTLS, buffers.hasInput else { return }
    let start = buffers.peek(40)
    // A handshake record or an alert: RFC 8446, section 5.1.
    guard start[0] == 22 || start[0] == 21 else { throw .notTLS(peer: peer, start: start) }
    knowsThatItIsTLS = true
  }

  /// What both agreed on by ALPN.
  var negotiatedProtocol: String? {
    var start: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &start, &count)
    guard let start, count > 0 else { return nil }
    return String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
  }

  /// As in `TLSv1.3`.
  var version: String { String(cString: SSL_get_version(ssl)) }

  // MARK: Plaintext

  /// Decrypts the next record into `target`, which should hold ``recordSize`` bytes.
  func read(into target: UnsafeMutableRawBufferPointer) throws(NetworkError) -> Reading {
    ERR_clear_error()
    var count = 0
    let status = SSL_read_ex(ssl, target.baseAddress, target.count, &count)
    if status == 1 { return .bytes(count) }
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ: return .needsInput
    case SSL_ERROR_ZERO_RETURN: return .ended
    default: throw .tls("the secure connection to \(peer) broke", errors: .take())
    }
  }

  /// Encrypts `bytes`, of which there must be some, in as many records as they need.
  func write(_ bytes: UnsafeRawBufferPointer) throws(NetworkError) {
    ERR_clear_error()
    var count = 0
    // The buffers take all, so this never stops half-way.
    guard SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count) == 1 else {
      throw .tls("could not encrypt for \(peer)", errors: .take())
    }
  }

  /// Says that we write no more (close_notify). We may still read.
  func shutDown() {
    ERR_clear_error()
    SSL_shutdown(ssl)
  }
}
