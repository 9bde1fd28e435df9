//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// nginx in front of a server, which keeps its connections to it and passes on upgrades.
package final class NginxProcess: Sendable {
  package let port: Int
  private let isSecure: Bool
  private let process: ChildProcess
  private let folder: TemporaryFolder

  /// Starts nginx before the server at `upstream` ("host:port"), and returns when it listens. With certificates it
  /// speaks TLS with those who come, and none with the server.
  package init(upstream: String, tls certificates: TestCertificates? = nil) async throws {
    folder = try TemporaryFolder()
    isSecure = certificates != nil
    let folder = folder
    // It takes no port 0 that it would tell us.
    (port, process) = try await startOnFreePort { port in
      let file = try folder.write(
        Self.configuration(port: port, upstream: upstream, folder: folder.path, tls: certificates?.server),
        to: "nginx.conf")
      let process = try await ChildProcess(
        Tool.nginx.path, ["-p", folder.path, "-c", file, "-e", "stderr", "-g", "daemon off;"])
      // It tells of its system when its sockets are open.
      try await process.line(.errors, containing: " OS: ")
      return process
    }
  }

  package var address: String { "127.0.0.1:\(port)" }
  package var url: String { "http\(isSecure ? "s" : "")://\(address)" }
  package var socketURL: String { "ws\(isSecure ? "s" : "")://\(address)/events" }

  /// How many requests went out on a connection that had carried an earlier one.
  package var reusedConnections: Int {
    process.transcript(.errors).count { $0.contains("get keepalive peer: using connection") }
  }

  /// Whether this nginx can say so: the Debian package's can.
  package static func countsReuse() async throws -> Bool {
    let nginx = try await ChildProcess(Tool.nginx.path, ["-V"])
    try await nginx.exit()
    return nginx.transcript(.errors).contains { $0.contains("--with-debug") }
  }

  private static func configuration(
    port: Int, upstream: String, folder: String, tls files: TestCertificates.Files?
  ) -> String {
    """
    # One process, so that no worker outlives a test that was killed.
    master_process off;
    pid \(folder)/nginx.pid;
    error_log stderr debug;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path \(folder)/body;
      proxy_temp_path \(folder)/proxy;
      fastcgi_temp_path \(folder)/fastcgi;
      uwsgi_temp_path \(folder)/uwsgi;
      scgi_temp_path \(folder)/scgi;
      map $http_upgrade $connection_header { default upgrade; "" ""; }
      upstream broadcast {
        server \(upstream);
        keepalive 4;
      }
      server {
        listen 127.0.0.1:\(port)\(files == nil ? "" : " ssl");
        \(files.map { "ssl_certificate \($0.certificate); ssl_certificate_key \($0.key);" } ?? "")
        location / {
          proxy_pass http://broadcast;
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_header;
          proxy_read_timeout 60s;
        }
      }
    }

    """
  }
}
