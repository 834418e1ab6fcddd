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
step 'quick tests' "$venv/bin/pytest" -q -m 'not slow' -n 2 --dist loadfile --hypothesis-profile=ci
# Stories in bent time, lists and databases: nothing in them minds a busy machine.
busy=(tests/cli tests/config tests/engine tests/exports tests/model tests/scenarios tests/store)
step 'slow tests, two at a time' "$venv/bin/pytest" -q -m 'slow and not bench' -n 2 --dist loadfile \
  --hypothesis-profile=ci --durations=5 "${busy[@]}"
# The rest one at a time: they take real time, and start servers on a machine that may have two cores.
step 'slow tests, one at a time' "$venv/bin/pytest" -v -m 'slow and not bench' -n 0 --hypothesis-profile=ci \
  --durations=10 "${busy[@]/#/--ignore=}"

if ((${#failed[@]})); then
  printf '\ntest: FAILED: %s\n' "$(IFS=,; echo "${failed[*]}")"
  exit 1
fi
printf '\ntest: all passed, %d s\n' "$SECONDS"
