#!/usr/bin/env bash
# Sees to the programs outside Python that the slow tests start. Required: an MQTT broker and a PostgreSQL server.
# Optional: Node.js, for Prism, which checks what we send against the carrier's own API description.
#
# The packages start services of their own (ports 1883 and 5432). The tests do not use those: each starts its own
# server on a free port, in a folder of its own, and ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'system packages: %s\n' "$*" >&2; }

# Debian keeps daemons in sbin and the PostgreSQL server out of PATH altogether.
has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null; }
has_postgres() {
  has initdb && has postgres && return
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing=()
has mosquitto || missing+=(mosquitto)
has mosquitto_pub || missing+=(mosquitto-clients)
has_postgres || missing+=(postgresql)
if ((${#missing[@]})); then
  scripts/apt-install.sh "${missing[@]}"
fi

prism=5.14.2
bin=.cache/prism/node_modules/.bin/prism
if [[ ! -d ../shared/data ]]; then
  say "no ../shared/data: the checks against the carrier's API description will be skipped"
elif [[ ! -x $bin ]]; then
  has npm || scripts/apt-install.sh nodejs npm || true
  if has npm; then
    say "installing Prism $prism into .cache/prism"
    npm install --no-save --no-audit --no-fund --no-update-notifier --loglevel=error \
      --prefix .cache/prism "@stoplight/prism-cli@$prism" >&2 ||
      say "Prism could not be installed"
  fi
  [[ -x $bin ]] || say "without Prism the checks against the carrier's API description will be skipped"
fi
