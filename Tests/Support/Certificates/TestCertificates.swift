//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// An authority and certificates that it issues, made for one test run in a temporary folder: nobody's secrets lie in
/// the repository, and none expires there.
package final class TestCertificates: Sendable {
  /// The files of one certificate, in PEM.
  package struct Files: Sendable {
    /// With those of the issuers in between, if there are any.
    package var certificate: String
    package var key: String
  }

  /// When a certificate holds, in seconds from now.
  package struct Validity: Sendable {
    var from: Int
    var to: Int

    package static let now = Validity(from: -3600, to: 86_400)
    package static let past = Validity(from: -7200, to: -3600)
    package static let future = Validity(from: 3600, to: 86_400)
  }

  /// For these the usual server certificate holds.
  package static let hosts = ["localhost", "127.0.0.1", "::1"]

  /// The authority's certificate, for clients to trust.
  package let authority: String
  /// A right certificate for this machine.
  package let server: Files
  private let folder: TemporaryFolder
  private let issuer: Certificate

  package init() throws(ProgramError) {
    folder = try TemporaryFolder()
    issuer = try Certificate(subject: "Authority of the tests", kind: .authority)
    authority = try folder.write(issuer.pem(), to: "authority.pem")
    server = try Self.write(
      Certificate(subject: "Server of the tests", kind: .server(Self.hosts), issuer: issuer), "server", in: folder)
  }

  /// Issues another one. `name` is that of the files.
  ///
  /// - Parameters:
  ///   - hosts: names and addresses for which it holds.
  ///   - isSelfSigned: without the authority.
  package func issue(
    _ name: String, for hosts: [String] = hosts, _ validity: Validity = .now, isSelfSigned: Bool = false
  ) throws(ProgramError) -> Files {
    let certificate = try Certificate(
      subject: name, kind: .server(hosts), validity: validity, issuer: isSelfSigned ? nil : issuer)
    return try Self.write(certificate, name, in: folder)
  }

  /// Writes any text beside them, and gives back its path.
  package func write(_ text: String, to name: String) throws(ProgramError) -> String {
    try folder.write(text, to: name)
  }

  private static func write(
    _ certificate: Certificate, _ name: String, in folder: TemporaryFolder
  ) throws(ProgramError) -> Files {
    Files(
      certificate: try folder.write(certificate.pem(), to: "\(name).pem"),
      key: try folder.write(certificate.keyPEM(), to: "\(name).key"))
  }
}
