# shellcheck shell=bash
#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#
# Brokers of our own, on free ports of loopback, for measuring. Sourced, after common.bash.
#
# start_redis and start_postgres set redis_url and postgres_url; what they start lies in $folder and ends with stop_brokers.

brokers=()

stop_brokers() {
  local broker
  for broker in "${brokers[@]+"${brokers[@]}"}"; do
    # For PostgreSQL this is a fast shutdown, which waits for no client.
    kill -INT "$broker" 2>/dev/null || true
  done
  for broker in "${brokers[@]+"${brokers[@]}"}"; do wait "$broker" 2>/dev/null || true; done
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
  (cd "$folder" && exec redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no) >"$log" 2>&1 &
  brokers+=($!)
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
  local programs port data=$folder/postgres log=$folder/postgres.log as_user=()
  programs=$(postgres_programs)
  [ -n "$programs" ] || die "there is no PostgreSQL server: apt-get install postgresql"
  mkdir -p "$data"
  # It refuses to run as root.
  if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$folder"
    chown postgres "$data"
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  (cd "$data" && "${as_user[@]+"${as_user[@]}"}" "$programs/initdb" --pgdata "$data" --auth trust --username postgres \
    --encoding UTF8 --locale C) >"$log" 2>&1 || die "initdb failed: $(tail -n 5 "$log")"
  port=$(free_port)
  (cd "$data" && exec "${as_user[@]+"${as_user[@]}"}" "$programs/postgres" -D "$data" -p "$port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories=) >"$log" 2>&1 &
  brokers+=($!)
  await_broker PostgreSQL $! "$log" grep -q 'database system is ready to accept connections' "$log"
  postgres_url=postgres://postgres@127.0.0.1:$port/postgres
}
