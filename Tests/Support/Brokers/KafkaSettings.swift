//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a broker's `server.properties` says: the whole file, since one that comes with an installation may be anything.
///
/// Its listeners:
/// - `DIRECT` is for witnesses, tools, and the broker itself.
/// - `LOGIN` asks for a user and a password, `SECURE` speaks TLS, `SECURELOGIN` does both; where they are wanted.
/// - `P0`, `P1`, … tell clients to come back to another port, on which a proxy listens: a broker names its address to its
///   clients, and they connect to that.
struct KafkaSettings {
  struct Ports {
    var direct = 9092
    /// Of every broker there is, in their order: each is a controller too.
    var controllers = [9093]
    var login = 0
    var secure = 0
    var secureLogin = 0
    var upstream: [Int] = []
    var proxies: [Int] = []
  }

  /// Which broker of how many it is, from 1 on.
  var node = 1
  var ports: Ports
  var data: String
  /// Who may log in, with the passwords; for SCRAM they are with the data.
  var users: [String: String] = [:]
  var mechanism = KafkaServer.Mechanism.plain
  /// The file with its key and its certificate.
  var certificate: String?
  var checksRights = false
  var settings: [String: String] = [:]

  private struct Listener {
    var name: String
    var port: Int
    var advertised: Int
    var `protocol` = "PLAINTEXT"
  }

  private var listeners: [Listener] {
    var listeners = [Listener(name: "DIRECT", port: ports.direct, advertised: ports.direct)]
    if !users.isEmpty {
      listeners.append(Listener(name: "LOGIN", port: ports.login, advertised: ports.login, protocol: "SASL_PLAINTEXT"))
    }
    if certificate != nil {
      listeners.append(Listener(name: "SECURE", port: ports.secure, advertised: ports.secure, protocol: "SSL"))
    }
    if ports.secureLogin != 0 {
      listeners.append(
        Listener(
          name: "SECURELOGIN", port: ports.secureLogin, advertised: ports.secureLogin, protocol: "SASL_SSL"))
    }
    for (index, (upstream, proxy)) in zip(ports.upstream, ports.proxies).enumerated() {
      listeners.append(Listener(name: "P\(index)", port: upstream, advertised: proxy))
    }
    return listeners
  }

  var text: String {
    let listeners = listeners
    let quorum = ports.controllers.enumerated().map { "\($0.offset + 1)@127.0.0.1:\($0.element)" }
    // Each has all of every topic, and one may be away.
    let replicas = "\(quorum.count)"
    let inSync = "\(max(1, quorum.count - 1))"
    func joined(_ part: (Listener) -> String) -> String { listeners.map(part).joined(separator: ",") }
    var all = [
      "process.roles": "broker,controller", "node.id": "\(node)", "log.dirs": data,
      "controller.quorum.voters": quorum.joined(separator: ","), "controller.listener.names": "CONTROLLER",
      "listeners": joined { "\($0.name)://127.0.0.1:\($0.port)" }
        + ",CONTROLLER://127.0.0.1:\(ports.controllers[node - 1])",
      "advertised.listeners": joined { "\($0.name)://127.0.0.1:\($0.advertised)" },
      "listener.security.protocol.map": joined { "\($0.name):\($0.protocol)" } + ",CONTROLLER:PLAINTEXT",
      "inter.broker.listener.name": "DIRECT",
      "default.replication.factor": replicas, "min.insync.replicas": inSync,
      // Small.
      "num.partitions": "1", "num.network.threads": "1", "offsets.topic.num.partitions": "1",
      "offsets.topic.replication.factor": replicas, "transaction.state.log.num.partitions": "1",
      "transaction.state.log.replication.factor": replicas, "transaction.state.log.min.isr": inSync,
      "share.coordinator.state.topic.num.partitions": "1", "share.coordinator.state.topic.replication.factor": replicas,
      "share.coordinator.state.topic.min.isr": inSync, "group.initial.rebalance.delay.ms": "0",
      "auto.create.topics.enable": "false", "log.retention.check.interval.ms": "500",
      // Back soon after a crash: it waits until it has expired itself.
      "broker.session.timeout.ms": "1500", "broker.heartbeat.interval.ms": "500",
    ]
    if !users.isEmpty { all.merge(login) { $1 } }
    if let certificate {
      all["ssl.keystore.type"] = "PEM"
      all["ssl.keystore.location"] = certificate
    }
    if checksRights {
      all["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
      // Whoever comes without a login: the broker itself, and witnesses.
      all["super.users"] = "User:ANONYMOUS"
    }
    all.merge(settings) { $1 }
    return all.map { "\($0.key)=\($0.value)\n" }.joined()
  }

  private var login: [String: String] {
    let module: String
    switch mechanism {
    case .plain:
      module = users.reduce("org.apache.kafka.common.security.plain.PlainLoginModule required") {
        "\($0) user_\($1.key)=\"\($1.value)\""
      }
    case .scram: module = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    }
    var login: [String: String] = [:]
    for listener in ["login", "securelogin"] {
      login["listener.name.\(listener).sasl.enabled.mechanisms"] = mechanism.rawValue
      login["listener.name.\(listener).\(mechanism.rawValue.lowercased()).sasl.jaas.config"] = "\(module);"
    }
    return login
  }
}
