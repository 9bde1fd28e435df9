//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

extension Routes {
  /// A page of the program's own, and the files that it loads.
  ///
  /// ```swift
  /// configuration.endpoints.page = nil
  /// routes.page("/", PackageResources.index_html, files: [
  ///   "app.css": PackageResources.app_css, "app.js": PackageResources.app_js,
  /// ])
  /// ```
  ///
  /// Each answer has a `Content-Security-Policy` by which the page loads styles, scripts, images and fonts from its own
  /// server alone (images from `data:` too), connects to it alone, runs no script that stands in the HTML, and is shown in no frame of
  /// another page. Browsers ask each time whether a file is new.
  ///
  /// - Parameters:
  ///   - pattern: where the page is; the files are beside it, `/app.js` for `/`. Behind a proxy it may be below a path if the HTML
  ///     names them by relative references. Whoever asks for it with a slash at the end that the pattern has not, or without
  ///     one that it has, is sent there (307).
  ///   - html: the page, in UTF-8.
  ///   - files: by their names, whose endings say what they are: `css`, `html`, `ico`, `jpg`, `js`, `json`, `png`, `svg`, `txt`, `webp`
  ///     and `woff2`. What has another ending is bytes, which browsers take for nothing.
  public mutating func page(_ pattern: String, _ html: [UInt8], files: KeyValuePairs<String, [UInt8]> = [:]) {
    let policy = PagePolicy(
      scripts: "'self'", styles: "'self'", others: ["img-src 'self' data:", "font-src 'self'"])
    let isFolder = pattern.hasSuffix("/")
    get(pattern) { request in
      // The route takes a slash at the end or none. With the other one, relative references would not lead to the files.
      if let place = Self.place(of: request.http, isFolder: isFolder) {
        return .empty(.temporaryRedirect, headers: ["Location": place])
      }
      return .bytes(html, type: Self.mediaType(of: "html"), headers: policy.headers(host: request.http.host))
    }
    let folder = pattern[..<(pattern.lastIndex(of: "/") ?? pattern.startIndex)]
    for (name, bytes) in files {
      let type = Self.mediaType(of: name.split(separator: ".").last ?? "")
      get("\(folder)/\(name)") { request in
        .bytes(bytes, type: type, headers: policy.headers(host: request.http.host))
      }
    }
  }

  /// Where a page is that was asked for with a slash too many or too few, as a relative reference. Nil for where it is.
  private static func place(of request: HTTPRequest, isFolder: Bool) -> String? {
    let path = request.path
    guard path.hasSuffix("/") != isFolder, let last = path.split(separator: "/").last else { return nil }
    let query = request.target.firstIndex(of: "?").map { request.target[$0...] } ?? ""
    return (isFolder ? "./\(last)/" : "../\(last)") + query
  }

  /// - Parameter ending: of a file's name.
  private static func mediaType(of ending: Substring) -> String {
    switch ending {
    case "css": "text/css; charset=utf-8"
    case "html": "text/html; charset=utf-8"
    case "ico": "image/x-icon"
    case "jpg": "image/jpeg"
    case "js": "text/javascript; charset=utf-8"
    case "json": "application/json"
    case "png": "image/png"
    case "svg": "image/svg+xml"
    case "txt": "text/plain; charset=utf-8"
    case "webp": "image/webp"
    case "woff2": "font/woff2"
    default: "application/octet-stream"
    }
  }
}
