#!/usr/bin/env bash
# Import contracts; prints only when one is broken.
set -uo pipefail
cd "$(dirname "$0")/.."

if ! output=$("${VENV:-.venv}/bin/lint-imports" 2>&1); then
  printf '%s\n' "$output"
  exit 1
fi
