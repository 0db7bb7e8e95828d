#!/usr/bin/env bash
# scripts/with-chromium.sh COMMAND [ARGUMENT...]: runs COMMAND where Chromium can be driven, for the tests of pages.
#
# The browser and its driver are Debian's packages. COMMAND finds them in GAPSVC_TEST_CHROMIUM and
# GAPSVC_TEST_CHROMEDRIVER, and its exit code is kept. Where they are missing, root installs them by apt-get. Where that
# can't be done, COMMAND runs without them and the tests marked `browser` skip, saying so; but under CI=true with apt-get
# at hand a missing browser is an error, since CI promises that pages are looked at. Variables that are set already are
# used as they are; GAPSVC_TEST_CHROMIUM= (empty) says to do without.
set -uo pipefail

say() { echo "with-chromium: $*" >&2; }

if [ $# -eq 0 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
if [ -n "${GAPSVC_TEST_CHROMIUM+set}" ]; then
  exec "$@"
fi

# The first of these programs that there is; nothing where there is none.
first_of() {
  local name
  for name in "$@"; do
    command -v "$name" && return
  done
}

look() {
  browser=$(first_of chromium chromium-browser google-chrome)
  driver=$(first_of chromedriver)
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local packages=(chromium chromium-driver)
  { apt-get install -y -q --no-install-recommends "${packages[@]}" \
    || { apt-get update -q && apt-get install -y -q --no-install-recommends "${packages[@]}"; }; } >"$1" 2>&1
}

look
if { [ -z "$browser" ] || [ -z "$driver" ]; } && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing Debian's chromium and chromium-driver ..."
  log=$(mktemp)
  install_packages "$log" || tail -3 "$log" >&2
  rm -f "$log"
  look
fi
if [ -z "$browser" ] || [ -z "$driver" ]; then
  say "no Chromium with its driver here (apt-get install chromium chromium-driver); the tests that need it will be skipped"
  if [ "${CI:-}" = true ] && command -v apt-get >/dev/null; then
    say "CI must run them (CI=true): giving up"
    exit 1
  fi
  exec "$@"
fi
GAPSVC_TEST_CHROMIUM=$browser GAPSVC_TEST_CHROMEDRIVER=$driver exec "$@"
