#!/usr/bin/env bash
# Usage: scripts/quick-tests.sh [more arguments for pytest]
# The quick tests, half of them in one process, half in another. pytest-xdist would take a fifth more to share them out:
# both of its processes collect all tests, and a third only listens.
set -uo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
# About half of the work. A new folder is the other half's, until somebody weighs them anew.
one=(tests/adapters tests/cli tests/config tests/console tests/exports)

unset PYTHONDONTWRITEBYTECODE
# In memory, where there is some: hundreds of them commit, and what a disk does is the slow tests' business.
room_mb=$(df --output=avail -BM /dev/shm 2>/dev/null | tail -n 1 | tr -dc 0-9)
if [[ -w /dev/shm ]] && ((${room_mb:-0} >= 512)); then
  export PYTEST_DEBUG_TEMPROOT=/dev/shm
fi

half() { "$venv/bin/pytest" -q -m 'not slow' -p no:xdist "$@"; }

said=$(mktemp)
trap 'rm -f "$said"' EXIT
# The trap: a shell lets what is in the background ignore Ctrl-C, and some tests press it.
(trap - INT; half "$@" "${one[@]/#/--ignore=}") >"$said" 2>&1 &
other=$!
half "$@" "${one[@]}"
failed=$?
wait "$other" || failed=1
cat "$said"
exit "$failed"
