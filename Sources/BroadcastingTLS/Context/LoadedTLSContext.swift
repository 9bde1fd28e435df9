//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import COpenSSLTLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// OpenSSL's context with its authorities, for any number of connections on any thread.
// Sendable: `context` is set up before anybody else sees it. After that OpenSSL itself guards what changes in it, such
// as its count of references (openssl-threads(7)).
final class LoadedTLSContext: @unchecked Sendable {
  let trust: TLSConfiguration.Trust
  private let context: OpaquePointer

  /// Reads files, and so blocks.
  init(_ trust: TLSConfiguration.Trust) throws(NetworkError) {
    self.trust = trust
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_client_method()) else {
      throw .tls("could not set up TLS", errors: .take())
    }
    self.context = context
    guard copenssl_set_versions(context) == 1 else { throw .tls("could not set up TLS", errors: .take()) }
    copenssl_set_options(context)
    // Whoever is among the authorities is trusted as he is, without a chain up to a root.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    switch trust.kind {
    case .system: SSL_CTX_set_default_verify_paths(context)
    case .file(let path): try load(path)
    }
    ERR_clear_error()
  }

  deinit { SSL_CTX_free(context) }

  func makeConnection() -> OpaquePointer? { SSL_new(context) }

  private func load(_ path: String) throws(NetworkError) {
    // What the system has to say of it is clearer than what OpenSSL makes of that.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      let reason = NetworkError("could not open the file of authorities \(path)", status: errno)
      throw NetworkError(.authoritiesUnusable, reason.message, errno: reason.errno)
    }
    close(descriptor)
    if SSL_CTX_load_verify_locations(context, path, nil) != 1 {
      let errors = TLSErrors.take()
      throw NetworkError(
        .authoritiesUnusable,
        """
        the file of authorities \(path) has no certificate that can be read (\(errors.text)): \
        it must have one or more in PEM, each between “-----BEGIN CERTIFICATE-----” and “-----END CERTIFICATE-----”
        """)
    }
  }

  /// Where OpenSSL looks for the system's authorities: X509_get_default_cert_file(3).
  static var systemPlaces: String {
    func place(_ variable: UnsafePointer<CChar>?, _ usual: UnsafePointer<CChar>?) -> String {
      guard let variable, let usual else { return "" }
      guard let set = getenv(variable) else { return String(cString: usual) }
      return "\(String(cString: set)) (\(String(cString: variable)))"
    }
    return place(X509_get_default_cert_file_env(), X509_get_default_cert_file()) + " and "
      + place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())
  }
}
