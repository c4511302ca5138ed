#!/usr/bin/env bash
# ./test.sh        lint, types, and every test that needs neither root nor a browser
# ./test.sh --all  the browser, the proxies, other people's OAuth clients, kill -9, two minutes of fuzzing and the container
#                  too, for which it becomes root by itself; a missing program is then a failure
# Anything else goes to pytest: ./test.sh -k refresh, ./test.sh --all -x tests/browser
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

all=false
arguments=()
for argument in "$@"; do
  case $argument in
    --all) all=true ;;
    -h | --help) sed -n '2,5s/^# //p' test.sh && exit ;;
    --) ;;
    *) arguments+=("$argument") ;;
  esac
done

left_out=()
failures=()
step() {
  printf '\n== %s\n' "$1"
  "${@:2}" || failures+=("$1")
}

if $all; then
  missing=$(missing_packages)
  [ -z "$missing" ] || fail "./test.sh --all needs programs that are not here." \
    "On Debian: sudo apt install ${missing//$'\n'/ }" "On Ubuntu the same; chromium is a snap there."
  prepare_environment .venv-test requirements-all.lock
  # Of Home Assistant there is none that newer Pythons and older ones can both run.
  home_assistants=$(PYTHONS="python3.12 python3.11" find_python 2>/dev/null) ||
    fail "./test.sh --all needs Python 3.11 or 3.12 with its venv module: the Home Assistant that signs people in runs on no other."
  PYTHONS=$home_assistants prepare_environment .venv-home-assistant requirements-home-assistant.lock
else
  prepare_environment .venv-test requirements-dev.lock requirements-all.lock
  for folder in tests/browser tests/container tests/interop tests/proxy; do
    left_out+=(--exclude "^$folder/")
    arguments+=("--ignore=$folder")
  done
  arguments+=(-m "not durability and not fuzz and not proxy")
fi
python=.venv-test/bin/python

# The settings of whoever runs this must not reach the servers that the tests start.
for name in "${!ALEXA_OAUTH_@}" OAUTH_ENCRYPTION_KEY PYTHONPATH; do unset "$name"; done

step "lint" "$python" -m ruff check
step "format" "$python" -m ruff format --check
step "types" "$python" -m mypy "${left_out[@]}"
if $all || command -v shellcheck >/dev/null; then
  step "shell scripts" shellcheck --external-sources run.sh test.sh scripts/*.sh .ci/run
fi
if $all; then
  step "npm packages" npm ci --prefix tests/interop/node --no-audit --no-fund
  step "axe-core" npm ci --prefix tests/browser/node --no-audit --no-fund
fi
step "tests" "$python" -m pytest "${arguments[@]}"

if [ ${#failures[@]} -gt 0 ]; then
  fail "" "./test.sh: FAILED after $SECONDS s: ${failures[*]}"
fi
printf '\n./test.sh: passed in %s s\n' "$SECONDS"
