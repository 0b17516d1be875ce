# shellcheck shell=bash disable=SC2034,SC2154 # `$work` comes from the phase, which reads what is set here
# A server of its own for a phase. Read by `source`, after `set -euo pipefail`; needs TEGATA_BIN and a directory `$work`.

: "${TEGATA_BIN:?scripts/test says which program to test}"
[ -x "$TEGATA_BIN" ] || { echo "$TEGATA_BIN is not there; scripts/test builds it" >&2; exit 1; }

server_pid=""
databases=()

# need TOOL PACKAGE: installs a tool where it is missing.
need() {
  if command -v "$1" >/dev/null; then return; fi
  echo "installing the package $2"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$2") root=()
  if [ "$(id -u)" -ne 0 ]; then root=(sudo -n); fi
  "${root[@]}" "${install[@]}" || { "${root[@]}" apt-get -qq update && "${root[@]}" "${install[@]}"; }
}

# fresh_postgres: makes a database on the server for tests and leaves its URL in `$database`.
fresh_postgres() {
  : "${TEGATA_TEST_POSTGRES:?the URL of a PostgreSQL server for tests; scripts/test starts one and sets it}"
  need psql postgresql-client
  local name
  name=tegata_phase_$$_${#databases[@]}
  psql --quiet --no-psqlrc --dbname "$TEGATA_TEST_POSTGRES" --command "CREATE DATABASE $name"
  databases+=("$name")
  database=${TEGATA_TEST_POSTGRES%/*}/$name
}

# start_server NAME [ARGUMENT…]: starts a server on a spare port with a data directory of its own. Leaves its address
# in `$server_url` and the one-time token of a fresh one in `$setup_token`.
start_server() {
  local data=$work/$1 link
  shift
  "$TEGATA_BIN" serve --data-dir "$data" --listen 127.0.0.1:0 "$@" >"$data.out" 2>"$data.log" </dev/null &
  server_pid=$!
  for _ in $(seq 300); do
    link=$(grep --only-matching --no-filename --max-count=1 -E 'https?://[^[:space:]]+/setup#[0-9A-Za-z_]+' "$data.out" "$data.log" || true)
    if [ -n "$link" ]; then
      link=${link%%$'\n'*}
      # shellcheck disable=SC2034 # for whoever reads this file
      server_url=${link%/setup#*} setup_token=${link#*#}
      return
    fi
    if ! kill -0 "$server_pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  echo "the server did not start; it said:" >&2
  cat "$data.out" "$data.log" >&2
  exit 1
}

# stop_server: asks it to end, as a service manager would, and insists on an orderly end.
stop_server() {
  local pid=$server_pid status=0
  if [ -z "$pid" ]; then return; fi
  server_pid=""
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  if kill -0 "$pid" 2>/dev/null; then
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    echo "the server did not end within 15 seconds of SIGTERM" >&2
    return 1
  fi
  wait "$pid" || status=$?
  [ "$status" -eq 0 ] || { echo "the server ended with exit code $status" >&2; return 1; }
}

# For the trap at the end of a phase: leaves nothing behind.
clean_up() {
  local name
  if [ -n "$server_pid" ]; then
    kill -KILL "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  for name in "${databases[@]}"; do
    psql --quiet --no-psqlrc --dbname "$TEGATA_TEST_POSTGRES" --command "DROP DATABASE IF EXISTS $name WITH (FORCE)" || true
  done
  rm -rf -- "$work"
}
