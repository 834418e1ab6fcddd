#!/usr/bin/env bash
# Everything: system packages, checks, all tests. CI runs just this.
# A failing step does not hide the ones after it; the exit code is that of the whole.
set -uo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
scripts/system-packages.sh || exit 1
scripts/install.sh dev || exit 1
scripts/other-python.sh || true # what compares two Pythons says so if it is skipped

failed=()
step() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then
    printf '== %s: passed, %d s\n' "$name" $((SECONDS - start))
  else
    printf '== %s: FAILED, %d s\n' "$name" $((SECONDS - start))
    failed+=("$name")
  fi
}

step checks make --no-print-directory --jobs=4 --keep-going --output-sync=target \
  quick-lint quick-format quick-types quick-imports
step 'quick tests' scripts/quick-tests.sh --hypothesis-profile=ci

# Slow tests that only compute: stories and days in bent time, lists, databases. Nothing in them minds a busy machine.
bent=(
  tests/cli tests/config tests/engine tests/exports tests/model tests/scenarios tests/store
  tests/adapters/decoders tests/fuzz
  tests/simulator/checkers tests/simulator/families tests/simulator/regressions tests/simulator/rehearsal
  tests/simulator/world tests/simulator/test_same_seed_same_trace.py tests/simulator/test_school_day.py
)
# These take both processors by themselves.
wide=(tests/simulator/test_swarm_two_hundred.py tests/e2e/test_mutants.py)

slow() { "$venv/bin/pytest" -m 'slow and not bench' --hypothesis-profile=ci --durations=10 "$@"; }
compute() {
  local code=0
  slow -v -n 0 "${wide[@]}" || code=1
  slow -q -n 2 --dist loadfile "${bent[@]}" || code=1
  return "$code"
}
said_by() {
  local code=0
  wait "$1" || code=$?
  cat "$2"
  return "$code"
}

# What computes runs beside what waits, and gives way to it: `nice`, so that a server answers as on an idle machine.
said=$(mktemp)
# The trap: a shell lets what is in the background ignore Ctrl-C, and some tests press it.
(trap - INT; renice -n 10 "$BASHPID" >/dev/null; compute) >"$said" 2>&1 &
other=$!
trap 'kill "$other" 2>/dev/null; rm -f "$said"' EXIT
# All others, one at a time: they start servers, kill them, and wait; real time passes.
step 'slow tests in real time' slow -v -n 0 "${bent[@]/#/--ignore=}" "${wide[@]/#/--ignore=}"
step 'slow tests that compute (begun with those in real time)' said_by "$other" "$said"

if ((${#failed[@]})); then
  printf '\ntest: FAILED: %s\n' "$(IFS=,; echo "${failed[*]}")"
  exit 1
fi
printf '\ntest: all passed, %d s\n' "$SECONDS"
