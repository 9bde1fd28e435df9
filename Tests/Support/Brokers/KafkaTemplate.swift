//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The files of a new broker, made once for all tests of a process: to make them takes a JVM, and to copy them none.
enum KafkaTemplate {
  private static let template = Once { try await make() }

  /// Copies the files to `data` in a folder.
  ///
  /// - Parameter node: Which broker of the cluster has them.
  static func copy(to folder: TemporaryFolder, clusterID: String, node: Int = 1) async throws {
    let template = try await template.value()
    try await ChildProcess.run(["/bin/cp", "-R", "\(template.path)/data", "\(folder.path)/data"])
    // Which cluster, and which broker, they are of stands here alone.
    _ = try folder.write(
      "version=1\nnode.id=\(node)\ncluster.id=\(clusterID)\ndirectory.id=AAAAAAAAAAAAAAAAAAAA\(node)A\n",
      to: "data/meta.properties")
  }

  private static func make() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    folder.removeAtExit()
    let properties = KafkaSettings(ports: .init(), data: "\(folder.path)/data")
    let file = try folder.write(properties.text, to: "server.properties")
    try await KafkaInstallation.usual.format(file, clusterID: KafkaServer.Options.usualClusterID)
    return folder
  }
}
