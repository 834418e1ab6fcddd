#!/usr/bin/env bash
# Sees to the programs outside Python that the slow tests start. Required: an MQTT broker, a PostgreSQL server, and what
# speaks and listens for the loudspeakers. Optional: Node.js, for Prism, which checks what we send against the carrier's
# own API description.
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
has espeak-ng || missing+=(espeak-ng)
has flite || missing+=(flite)
has sox || missing+=(sox)
has ffmpeg || missing+=(ffmpeg)
has gst-launch-1.0 || missing+=(gstreamer1.0-tools)
has_gstreamer() { has gst-inspect-1.0 && gst-inspect-1.0 "$1" >/dev/null 2>&1; }
has_gstreamer wavenc && has_gstreamer rtppcmudepay || missing+=(gstreamer1.0-plugins-base gstreamer1.0-plugins-good)
has_gstreamer avdec_g722 || missing+=(gstreamer1.0-libav)
has nsenter || missing+=(util-linux)
has ip || missing+=(iproute2)
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
