# shellcheck shell=bash
#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#
# Brokers of our own, on free ports of loopback, for measuring. Sourced, after common.bash.
#
# start_redis, start_postgres and start_kafka set redis_url, postgres_url and kafka_url; what they start lies in $folder and
# ends with stop_brokers.

# Each as the signal that ends it, and its process: INT:1234.
brokers=()

# Goes before a command that is to end when this script does, be it by SIGKILL (prctl(2), PR_SET_PDEATHSIG).
tied=()
if command -v setpriv >/dev/null; then tied=(setpriv --pdeathsig=TERM); fi

stop_brokers() {
  local broker
  for broker in "${brokers[@]+"${brokers[@]}"}"; do kill -s "${broker%:*}" "${broker#*:}" 2>/dev/null || true; done
  for broker in "${brokers[@]+"${brokers[@]}"}"; do wait "${broker#*:}" 2>/dev/null || true; done
  brokers=()
}

# Nobody has had this port a moment ago. Whoever takes it in between makes the broker's start fail, which says so.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# await_broker NAME PID LOG COMMAND… : waits until the command succeeds, while the broker lives
await_broker() {
  local name=$1 broker=$2 log=$3 tries
  shift 3
  for tries in $(seq 400); do
    "$@" >/dev/null 2>&1 && return
    kill -0 "$broker" 2>/dev/null || break
    sleep 0.05
  done
  die "$name does not start, after $tries looks: $(tail -n 5 "$log")"
}

start_redis() {
  command -v redis-server >/dev/null || die "there is no redis-server: apt-get install redis-server"
  local port log=$folder/redis.log
  port=$(free_port)
  # Channels only: nothing to keep on disk.
  (cd "$folder" && exec "${tied[@]+"${tied[@]}"}" redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no) >"$log" 2>&1 &
  brokers+=("INT:$!")
  await_broker Redis $! "$log" grep -q 'Ready to accept connections' "$log"
  redis_url=redis://127.0.0.1:$port
}

# The folder of PostgreSQL's programs, which Debian keeps out of PATH.
postgres_programs() {
  local place
  for place in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
    [ ! -x "$place/initdb" ] || [ ! -x "$place/postgres" ] || echo "$place"
  done | tail -n 1
}

start_postgres() {
  local programs port data=$folder/postgres log=$folder/postgres.log as_user=() server=()
  programs=$(postgres_programs)
  [ -n "$programs" ] || die "there is no PostgreSQL server: apt-get install postgresql"
  mkdir -p "$data"
  # It refuses to run as root.
  if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$folder"
    chown postgres "$data"
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  # Of one call with the change of the user, which would undo it.
  [ ${#tied[@]} -eq 0 ] || server=("${as_user[@]-setpriv}" --pdeathsig=INT)
  (cd "$data" && "${as_user[@]+"${as_user[@]}"}" "$programs/initdb" --pgdata "$data" --auth trust --username postgres \
    --encoding UTF8 --locale C) >"$log" 2>&1 || die "initdb failed: $(tail -n 5 "$log")"
  port=$(free_port)
  (cd "$data" && exec "${server[@]+"${server[@]}"}" "$programs/postgres" -D "$data" -p "$port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories=) >"$log" 2>&1 &
  # A fast shutdown, which waits for no client.
  brokers+=("INT:$!")
  await_broker PostgreSQL $! "$log" grep -q 'database system is ready to accept connections' "$log"
  postgres_url=postgres://postgres@127.0.0.1:$port/postgres
}

# How to get one, for the line that says it is missing.
kafka_hint="set KAFKA_HOME to an installation of Apache Kafka, 3.9 or later (https://kafka.apache.org/downloads); it needs Java 17"

has_kafka() {
  [ -x "${KAFKA_HOME:-}/bin/kafka-server-start.sh" ] && { command -v java >/dev/null || [ -x "${JAVA_HOME:-}/bin/java" ]; }
}

# One node, with the topic bench of one partition.
start_kafka() {
  has_kafka || die "there is no Kafka: $kafka_hint"
  local port controller data=$folder/kafka log=$folder/kafka.log
  local settings=$data/server.properties
  port=$(free_port)
  controller=$(free_port)
  mkdir -p "$data"
  # Nobody to copy to. What has been read is thrown away early, so that a long measurement does not fill the disk.
  cat >"$settings" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$data/log
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
auto.create.topics.enable=false
log.segment.bytes=67108864
log.segment.delete.delay.ms=1000
log.retention.bytes=268435456
log.retention.check.interval.ms=5000
END
  # Any 16 bytes are an id.
  "$KAFKA_HOME/bin/kafka-storage.sh" format -t "$(printf 'swift-broadcast.' | base64 | tr -d =)" -c "$settings" \
    >"$log" 2>&1 || die "the storage of Kafka can't be made: $(tail -n 5 "$log")"
  (cd "$data" && LOG_DIR=$data exec "$KAFKA_HOME/bin/kafka-server-start.sh" "$settings") >>"$log" 2>&1 &
  # A JVM does not hear the INT that a shell has its background ignore.
  brokers+=("TERM:$!")
  # This waits until the broker answers.
  LOG_DIR=$data limited 60 "$KAFKA_HOME/bin/kafka-topics.sh" --bootstrap-server "127.0.0.1:$port" --create --topic bench \
    >>"$log" 2>&1 || die "Kafka does not start: $(tail -n 5 "$log")"
  kafka_url=kafka://127.0.0.1:$port
}
