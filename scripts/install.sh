#!/usr/bin/env bash
# Usage: scripts/install.sh demo|dev
# Makes $VENV and installs into it what the lock names, by hash, then this tree as an editable install.
# Does nothing when nothing changed: the stamps in $VENV hold the hash of what was installed.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?usage: scripts/install.sh demo|dev}
venv=${VENV:-.venv}
say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

case $kind in
  demo) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  *) fail "unknown kind '$kind': demo or dev" ;;
esac

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    command -v "$PYTHON" >/dev/null || fail "PYTHON=$PYTHON: no such command"
    new_enough "$PYTHON" || fail "PYTHON=$PYTHON is older than 3.11"
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"
}

# Debian splits venv's pip off into a package of its own; without it `import venv` works and making one fails.
make_venv() {
  local python=$1 package
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    package=python3-venv
    [[ $(command -v "$python") == /usr/bin/python3.* ]] && package="${python##*/}-venv"
    say "$python cannot make virtual environments: it lacks ensurepip"
    scripts/apt-install.sh "$package" || exit 1
  fi
  say "making $venv with $("$python" -V)"
  "$python" -m venv "$venv"
}

if [[ -x $venv/bin/python ]] && new_enough "$venv/bin/python"; then
  # A venv somebody works in is not thrown away on the strength of one variable.
  if [[ -n ${PYTHON:-} ]]; then
    want=$(version_of "$(find_python)")
    have=$(version_of "$venv/bin/python")
    [[ $want == "$have" ]] || fail "$venv is Python $have, PYTHON=$PYTHON is $want: run 'make clean', or add VENV=.venv-$want"
  fi
else
  python=$(find_python)
  [[ ! -e $venv ]] || rm -rf "$venv" # a leftover whose Python is gone
  make_venv "$python"
fi

# The path is part of the hash: an editable install and the scripts' first lines name it.
hash_of() { { cat "$@"; pwd; } | sha256sum | cut -d' ' -f1; }
holds() { [[ -f $venv/.alertd-$1 && $(<"$venv/.alertd-$1") == "$2" ]]; }

deps=$(hash_of "$lock")
project=$(hash_of "$lock" pyproject.toml)

# A dev install holds all that the demo needs.
if [[ $kind == demo ]] && holds deps-dev "$(hash_of requirements-dev.lock)"; then
  kind=dev deps=$(hash_of requirements-dev.lock) project=$(hash_of requirements-dev.lock pyproject.toml)
fi

pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet --quiet "$@"; }

if ! holds "deps-$kind" "$deps"; then
  say "installing what $lock names (about a minute the first time)"
  pip install --require-hashes -r "$lock"
  echo "$deps" >"$venv/.alertd-deps-$kind"
fi
if ! holds "project-$kind" "$project"; then
  # No isolation: the build backend is the locked one.
  pip install --no-deps --no-build-isolation --editable .
  "$venv/bin/python" -m pip check >/dev/null || {
    "$venv/bin/python" -m pip check >&2 || true
    fail "$lock does not fit pyproject.toml: run 'make lock'"
  }
  echo "$project" >"$venv/.alertd-project-$kind"
fi
