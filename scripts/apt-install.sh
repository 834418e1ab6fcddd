#!/usr/bin/env bash
# Usage: scripts/apt-install.sh PACKAGE...
# Installs Debian packages when it may (root, or sudo that asks no password); otherwise says what to run and fails.
set -euo pipefail

say() { printf 'system packages: %s\n' "$*" >&2; }

if ! command -v apt-get >/dev/null; then
  say "no apt-get here; install by your system's own means what Debian calls: $*"
  exit 1
fi

as_root=()
if [[ $(id -u) != 0 ]]; then
  if ! sudo -n true 2>/dev/null; then
    say "missing: $*"
    say "may not install them (neither root nor passwordless sudo); run:"
    say "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*"
    exit 1
  fi
  as_root=(sudo -n)
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet -o Dpkg::Use-Pty=0)
say "installing $*"
# A list that is there may do, and a stale mirror elsewhere in it must not stop us.
"${apt[@]}" update >&2 || say "apt-get update failed; trying with the lists at hand"
"${apt[@]}" install --yes --no-install-recommends "$@" >&2
