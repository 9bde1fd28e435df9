//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a person has to know of a certificate that was refused. All text is the peer's: made printable, and cut.
struct CertificateFacts: Sendable {
  private static let namesShown = 8
  private static let lengthShown = 200

  /// Names and addresses of the subjectAltName, the only ones that count.
  private(set) var names: [String] = []
  private(set) var hiddenNames = 0
  private(set) var subject = ""
  private(set) var issuer = ""
  private(set) var notBefore = ""
  private(set) var notAfter = ""

  init(_ certificate: OpaquePointer) {
    subject = Self.text(of: X509_get_subject_name(certificate))
    issuer = Self.text(of: X509_get_issuer_name(certificate))
    notBefore = Self.text(of: X509_get0_notBefore(certificate))
    notAfter = Self.text(of: X509_get0_notAfter(certificate))
    guard let all = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
    let list = OpaquePointer(all)
    defer { GENERAL_NAMES_free(list) }
    for index in 0..<max(0, copenssl_name_count(list)) {
      guard let name = Self.text(of: copenssl_name(list, index)) else { continue }
      if names.count < Self.namesShown { names.append(name) } else { hiddenNames += 1 }
    }
  }

  /// For whom it is, in words that follow its name.
  var holders: String {
    if names.isEmpty { return "names no host (subjectAltName)" }
    return "is for " + names.joined(separator: ", ") + (hiddenNames > 0 ? " and \(hiddenNames) more" : "")
  }

  private static func text(of name: UnsafePointer<GENERAL_NAME>?) -> String? {
    var kind: Int32 = 0
    guard let name, let value = GENERAL_NAME_get0_value(name, &kind), kind == GEN_DNS || kind == GEN_IPADD else {
      return nil
    }
    let string = value.assumingMemoryBound(to: ASN1_STRING.self)
    let bytes = UnsafeRawBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
    if kind == GEN_DNS { return printable(bytes.prefix(lengthShown)) }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard bytes.count == 4 || bytes.count == 16,
      inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes.baseAddress, &text, socklen_t(text.count)) != nil
    else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func text(of name: OpaquePointer?) -> String {
    guard let name, let memory = BIO_new(BIO_s_mem()) else { return "" }
    defer { BIO_free(memory) }
    copenssl_print_name(memory, name)
    var start: UnsafeMutablePointer<CChar>?
    let count = copenssl_contents(memory, &start)
    return printable(UnsafeRawBufferPointer(start: start, count: max(0, count)).prefix(lengthShown))
  }

  /// As RFC 3339 writes it.
  private static func text(of time: UnsafePointer<ASN1_TIME>?) -> String {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return "?" }
    func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
    return "\(date)T\(digits(parts.tm_hour)):\(digits(parts.tm_min)):\(digits(parts.tm_sec))Z"
  }
}
