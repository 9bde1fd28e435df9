# shellcheck shell=bash
#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#
# Three servers of the chat on free ports, and nginx in front of them at one address. Sourced by scripts/example, whose `run`
# starts programs, and whose $folder is for files.

chat_names=(one two three)

# The address of a server that has said where it listens.
chat_address() { sed -nE 's|^listening on http://||p' "$folder/$1.log" 2>/dev/null; }

# One process, so that nothing is left where this one is killed. A server that is gone is passed over at once: what was sent to
# it goes to the next, and it is asked again after 2 s. Whoever comes goes to where the fewest are.
chat_nginx_configuration() {
  local name
  cat <<END
master_process off;
daemon off;
pid $folder/nginx.pid;
error_log $folder/nginx.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  map \$http_upgrade \$connection_header { default upgrade; "" ""; }
  upstream chat {
    least_conn;
END
  for name in "${chat_names[@]}"; do echo "    server $(chat_address "$name") max_fails=1 fail_timeout=2s;"; done
  cat <<END
  }
  server {
    listen $1:$2;
    location / {
      proxy_pass http://chat;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection \$connection_header;
      proxy_connect_timeout 2s;
      proxy_next_upstream error timeout http_502 http_503;
      proxy_read_timeout 60s;
    }
  }
}
END
}

# serve_chat PROGRAM : serves at HOST and PORT, with the Redis of REDIS_URL, until no server is left.
serve_chat() {
  local program=$1 host=${HOST:-127.0.0.1} name index left nginx servers=()
  for name in "${chat_names[@]}"; do
    HOST=127.0.0.1 PORT=0 SERVER_NAME=$name run "$program" >"$folder/$name.log"
    servers+=("${programs[${#programs[@]} - 1]}")
  done
  for index in "${!chat_names[@]}"; do
    name=${chat_names[index]}
    await_broker "server $name" "${servers[index]}" "$folder/$name.log" grep -q '^listening on ' "$folder/$name.log"
    echo "server $name: process ${servers[index]}, http://$(chat_address "$name")"
  done
  chat_nginx_configuration "$host" "$PORT" >"$folder/nginx.conf"
  run nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/nginx.log"
  nginx=${programs[${#programs[@]} - 1]}
  # It writes its number once it listens.
  await_broker nginx "$nginx" "$folder/nginx.log" test -s "$folder/nginx.pid"
  [ "$host" != 127.0.0.1 ] || host=localhost
  echo "listening on http://$host:$PORT/"
  echo "To see a server die: kill -9 one of the processes above. Its people come back through the others."

  mkfifo "$folder/never"
  exec 9<>"$folder/never"
  left=${#chat_names[@]}
  while [ "$left" -gt 0 ] && kill -0 "$nginx"; do
    # Nobody writes there. A `sleep` would be a process more to be ended.
    read -r -t 1 <&9 || true
    for index in "${!servers[@]}"; do
      kill -0 "${servers[index]}" && continue
      left=$((left - 1))
      echo "server ${chat_names[index]} (process ${servers[index]}) has died; $left of ${#chat_names[@]} go on"
      forget "${servers[index]}"
      unset "servers[index]"
    done
    # The shell tells of each process that a signal has ended, in words of its own.
  done 2>/dev/null
  kill -0 "$nginx" 2>/dev/null || die "nginx has ended: $(tail -n 5 "$folder/nginx.log")"
  die "no server is left"
}

# How a program has ended counts no more.
forget() {
  local program rest=()
  for program in "${programs[@]}"; do [ "$program" = "$1" ] || rest+=("$program"); done
  programs=("${rest[@]+"${rest[@]}"}")
}
