//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS

/// Why a certificate was refused, in words that say what to do.
enum CertificateRefusal {
  /// Remembers the certificate at fault, which OpenSSL has forgotten when the handshake has failed.
  final class Witness {
    fileprivate var facts: CertificateFacts?
    /// 0 is the peer's own certificate, 1 its issuer's, and so on.
    fileprivate var depth: Int32 = 0
  }

  /// Makes OpenSSL check the peer's certificate, and tell `witness` what it refuses. The witness must outlive `ssl`.
  static func watch(_ ssl: OpaquePointer, _ witness: Witness) {
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(witness).toOpaque())
    SSL_set_verify(ssl, SSL_VERIFY_PEER) { isGood, check in
      // Its verdict stands; this only looks on.
      if isGood != 1, let check,
        let ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let data = SSL_get_ex_data(OpaquePointer(ssl), 0)
      {
        let witness = Unmanaged<Witness>.fromOpaque(data).takeUnretainedValue()
        witness.depth = X509_STORE_CTX_get_error_depth(check)
        witness.facts = X509_STORE_CTX_get_current_cert(check).map { CertificateFacts($0) }
      }
      return isGood
    }
  }
}

extension CertificateRefusal.Witness {
  func message(verdict: Int32, identity: TLSIdentity, peer: String, trust: TLSConfiguration.Trust) -> String {
    let whose = depth == 0 ? "the certificate of \(peer)" : "an authority of the certificate of \(peer)"
    return "\(whose) was refused: \(reason(verdict, identity, trust))\(details)"
  }

  private func reason(_ verdict: Int32, _ identity: TLSIdentity, _ trust: TLSConfiguration.Trust) -> String {
    switch verdict {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      """
      it expired at \(facts?.notAfter ?? "?"); whoever runs the server must renew it, unless this machine's clock is wrong
      """
    case X509_V_ERR_CERT_NOT_YET_VALID:
      "it is not valid before \(facts?.notBefore ?? "?"), unless this machine's clock is wrong"
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      "it is not for \(identity.text); connect by a name that it has, or set that as the server's name"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      """
      it is self-signed, and not trusted here; if it is the right one, give it as the file of authorities. \
      \(places(trust))
      """
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      """
      nobody here trusts this authority; if it is the right one, give its certificate as the file of authorities. \
      \(places(trust))
      """
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      """
      who issued it is unknown here; give that authority's file, or let the server send the certificates between. \
      \(places(trust))
      """
    default:
      String(cString: X509_verify_cert_error_string(Int(verdict)))
    }
  }

  /// Where the authorities came from.
  private func places(_ trust: TLSConfiguration.Trust) -> String {
    switch trust.kind {
    case .file(let path): "Trusted are only those of \(path)"
    case .system: "Trusted are those of the system: \(LoadedTLSContext.systemPlaces)"
    }
  }

  private var details: String {
    guard let facts else { return "" }
    return """
      . It \(depth == 0 ? "\(facts.holders), " : "")is valid from \(facts.notBefore) to \(facts.notAfter), its subject is \
      \(facts.subject) and its issuer \(facts.issuer)
      """
  }
}
