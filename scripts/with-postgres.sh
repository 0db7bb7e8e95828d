#!/usr/bin/env bash
# scripts/with-postgres.sh COMMAND [ARGUMENT...]: runs COMMAND with a private PostgreSQL for the tests.
#
# The server is Debian's package, in a temporary folder, reachable only by a socket in it; COMMAND finds its URL in
# GAPSVC_TEST_POSTGRES. It is stopped and removed whatever happens, and COMMAND's exit code is kept. Where PostgreSQL
# is missing, root installs it by apt-get. Where that can't be done, COMMAND runs without it and the tests marked
# `postgres` skip, saying so; but under CI=true with apt-get at hand a missing server is an error, since CI promises
# both databases. A GAPSVC_TEST_POSTGRES that is set already is used as it is.
set -uo pipefail

say() { echo "with-postgres: $*" >&2; }

if [ $# -eq 0 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
if [ -n "${GAPSVC_TEST_POSTGRES:-}" ]; then
  exec "$@"
fi

# The newest installed server's folder of programs; nothing where there is none.
programs() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  if [ -n "$found" ] && [ -x "$found/initdb" ]; then
    echo "$found"
  elif command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then
    dirname "$(readlink -f "$(command -v initdb)")"
  fi
}

install_package() {
  export DEBIAN_FRONTEND=noninteractive
  # Without this Debian also makes and starts a server of its own.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  fi
  { apt-get install -y -q --no-install-recommends postgresql \
    || { apt-get update -q && apt-get install -y -q --no-install-recommends postgresql; }; } >"$1" 2>&1
}

run_without() {
  say "$1; the tests that need PostgreSQL will be skipped"
  if [ "${CI:-}" = true ] && command -v apt-get >/dev/null; then
    say "CI must run them (CI=true): giving up"
    exit 1
  fi
  shift
  exec "$@"
}

bin=$(programs)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing Debian's postgresql ..."
  log=$(mktemp)
  install_package "$log" || tail -3 "$log" >&2
  rm -f "$log"
  bin=$(programs)
fi
if [ -z "$bin" ]; then
  run_without "no PostgreSQL here (apt-get install postgresql)" "$@"
fi

home=$(mktemp -d /tmp/gapsvc-pg.XXXXXX) # short: a socket's path has a hundred characters at most
as_owner=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  owner=postgres
  id -u "$owner" >/dev/null 2>&1 || owner=nobody
  chown "$owner" "$home"
  as_owner=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups)
fi

stop() {
  cd /
  "${as_owner[@]}" "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1
  rm -rf "$home"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  cd "$home" || return 1
  "${as_owner[@]}" "$bin/initdb" -D "$home/data" -U gapsvc -A trust -E UTF8 --no-locale --no-sync || return 1
  # Test data may be lost in a power cut; nothing listens on the network.
  "${as_owner[@]}" "$bin/pg_ctl" -D "$home/data" -w -t 60 -l "$home/server.log" start \
    -o "-c listen_addresses='' -c unix_socket_directories='$home' -c fsync=off -c full_page_writes=off -c max_connections=200"
}
here=$PWD
if ! (start) >"$home/start.log" 2>&1; then
  tail -3 "$home/start.log" >&2
  [ ! -e "$home/server.log" ] || tail -3 "$home/server.log" >&2
  trap - EXIT
  stop
  cd "$here" || exit 1
  run_without "PostgreSQL did not start" "$@"
fi

# Should this script be killed outright, the server goes too.
# shellcheck disable=SC2016
setsid bash -c '
  while kill -0 "$1" 2>/dev/null; do sleep 1; done
  cd /
  [ ! -d "$2" ] || { "${@:4}" "$3/pg_ctl" -D "$2/data" -m immediate -w stop; rm -rf "$2"; }
' watch $$ "$home" "$bin" "${as_owner[@]}" >/dev/null 2>&1 </dev/null &
disown

GAPSVC_TEST_POSTGRES="postgresql+psycopg://gapsvc@/postgres?host=$home" "$@"
exit $?
