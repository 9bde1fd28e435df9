//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How a secure connection is made: whom to trust, and which name the peer must prove to have.
///
/// Versions are TLS 1.2 and 1.3. The peer's certificate is always checked: its chain up to a trusted authority, its
/// time, and its name. There is no switch to leave that out; for a certificate of your own give its authority's file.
public struct TLSConfiguration: Hashable, Sendable {
  /// Which authorities are trusted.
  public struct Trust: Hashable, Sendable {
    enum Kind: Hashable { case system, file(String) }
    let kind: Kind

    /// Those of the system, where OpenSSL looks for them. The environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// name others (SSL_CTX_set_default_verify_paths(3)).
    public static let system = Trust(kind: .system)

    /// Those in a PEM file, and no others. Whoever is named there is trusted as he is, also if he is no root.
    public static func file(_ path: String) -> Trust { Trust(kind: .file(path)) }
  }

  /// The files are read once, at the first connection. What changes in them later counts after a restart.
  public var trust: Trust

  /// The name or address that the peer's certificate must be for. Nil: the host of the connection.
  ///
  /// Names are matched as RFC 9525 has it: only those of the certificate's subjectAltName count, and `*` stands for
  /// one whole label.
  public var serverName: String?

  public init(trust: Trust = .system, serverName: String? = nil) {
    self.trust = trust
    self.serverName = serverName
  }
}
