#!/usr/bin/env bash
# Pins every dependency by hash, for every platform and Python 3.11 or newer, into two files:
#   requirements.lock      what the daemon and the demo need, and the build backend
#   requirements-dev.lock  the same, and what checks and tests need
# Pins that still fit stay; UPGRADE=1 moves all to the newest. The files name no index: the installer's own is used.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.cache/lock
uv=$tool/bin/uv
if [[ ! -x $uv ]]; then
  for python in "${PYTHON:-}" "${VENV:-.venv}/bin/python" python3; do
    [[ -n $python ]] && command -v "$python" >/dev/null && break
  done
  "$python" -m venv "$tool"
  "$tool/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
fi

compile() {
  # --no-config and --no-annotate's opposite: no machine's settings, but a reason beside each pin.
  "$uv" pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --generate-hashes \
    --annotation-style line --custom-compile-command 'make lock' ${UPGRADE:+--upgrade} "$@"
}
compile --extra demo --group build --output-file requirements.lock
compile --extra demo --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock
wc -l requirements*.lock >&2
