#!/usr/bin/env bash
# One more virtual environment, .venv-<version>, with another Python than $VENV's, for the tests that compare the two.
# Takes the first Python from 3.11 up that PATH or pyenv has; with none, or if its packages cannot be had, it says so and
# leaves it at that: those tests say that they were skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
say() { printf 'other-python: %s\n' "$*" >&2; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2]) if sys.version_info >= (3, 11) else sys.exit(1)' 2>/dev/null; }

ours=$(version_of "$venv/bin/python") || exit 0
for python in python3.14 python3.13 python3.12 python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
  theirs=$(version_of "$python") || continue
  [[ $theirs != "$ours" ]] || continue
  if VENV=.venv-$theirs PYTHON=$python scripts/install.sh demo; then
    exit 0
  fi
  say "$python has no packages of requirements.lock, or they cannot be fetched"
done
say "no Python beside $ours can be used: what compares two of them is skipped"
