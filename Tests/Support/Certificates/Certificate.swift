//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS

/// A certificate and its key on P-256, made by libcrypto.
// Sendable: both are set up before anybody else sees them, and then only read.
final class Certificate: @unchecked Sendable {
  enum Kind { case authority, server([String]) }

  private let key: OpaquePointer
  private let certificate: OpaquePointer

  /// - Parameter issuer: nil signs it with its own key.
  init(
    subject: String, kind: Kind, validity: TestCertificates.Validity = .now, issuer: Certificate? = nil
  ) throws(ProgramError) {
    guard let key = Self.makeKey(), let certificate = X509_new() else { throw Self.failure("make a key") }
    self.key = key
    self.certificate = certificate
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1 ... .max >> 1))
    X509_gmtime_adj(X509_getm_notBefore(certificate), validity.from)
    X509_gmtime_adj(X509_getm_notAfter(certificate), validity.to)
    X509_set_pubkey(certificate, key)
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, subject, -1, -1, 0)
    let signer = issuer ?? self
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate))
    switch kind {
    case .authority:
      try add(NID_basic_constraints, "critical,CA:TRUE", signer)
      try add(NID_key_usage, "critical,keyCertSign", signer)
    case .server(let hosts):
      try add(NID_basic_constraints, "critical,CA:FALSE", signer)
      try add(NID_ext_key_usage, "serverAuth", signer)
      let names = hosts.map { host in
        let isAddress = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
        return "\(isAddress ? "IP" : "DNS"):\(host)"
      }
      if !names.isEmpty { try add(NID_subject_alt_name, names.joined(separator: ","), signer) }
    }
    try add(NID_subject_key_identifier, "hash", signer)
    if issuer != nil { try add(NID_authority_key_identifier, "keyid:always", signer) }
    guard X509_sign(certificate, signer.key, EVP_sha256()) > 0 else { throw Self.failure("sign") }
  }

  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  func pem() throws(ProgramError) -> String { try text { PEM_write_bio_X509($0, certificate) } }

  func keyPEM() throws(ProgramError) -> String {
    try text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
  }

  private func add(_ extension: Int32, _ value: String, _ signer: Certificate) throws(ProgramError) {
    var context = X509V3_CTX()
    X509V3_set_ctx(&context, signer.certificate, certificate, nil, nil, 0)
    guard let made = X509V3_EXT_conf_nid(nil, &context, `extension`, value) else {
      throw Self.failure("write the extension \(value)")
    }
    defer { X509_EXTENSION_free(made) }
    guard X509_add_ext(certificate, made, -1) == 1 else { throw Self.failure("add the extension \(value)") }
  }

  private func text(_ write: (OpaquePointer) -> Int32) throws(ProgramError) -> String {
    guard let memory = BIO_new(BIO_s_mem()) else { throw Self.failure("write PEM") }
    defer { BIO_free(memory) }
    guard write(memory) == 1 else { throw Self.failure("write PEM") }
    var start: UnsafeMutablePointer<CChar>?
    let count = copenssl_contents(memory, &start)
    return String(decoding: UnsafeRawBufferPointer(start: start, count: max(0, count)), as: UTF8.self)
  }

  private static func makeKey() -> OpaquePointer? {
    guard let context = EVP_PKEY_CTX_new_id(NID_X9_62_id_ecPublicKey, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_ctrl_str(context, "ec_paramgen_curve", "P-256") == 1,
      EVP_PKEY_CTX_ctrl_str(context, "ec_param_enc", "named_curve") == 1, EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return key
  }

  private static func failure(_ what: String) -> ProgramError {
    defer { ERR_clear_error() }
    let reason = ERR_reason_error_string(ERR_get_error()).map { String(cString: $0) } ?? "no reason given"
    return ProgramError(.notStarted, "could not \(what) for a certificate of the tests: \(reason)")
  }
}
