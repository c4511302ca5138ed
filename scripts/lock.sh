#!/usr/bin/env bash
# Writes the lock files from the lists in pyproject.toml. Needs uv.
# With no argument the versions stay where they still fit; `scripts/lock.sh --upgrade` takes the newest of everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lock() {
  local output=$1
  shift
  uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command scripts/lock.sh --output-file "$output" "$@"
}

# The largest first: the smaller ones are held to its versions, so that what is tested is what runs.
lock requirements-all.lock --group all "$@"
lock requirements-dev.lock --group dev --constraint requirements-all.lock
lock requirements.lock --constraint requirements-all.lock

# Home Assistant holds its packages to one version each, which are not ours: nothing of it goes into the others.
uv pip compile --group pyproject.toml:home-assistant --quiet --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command scripts/lock.sh --output-file requirements-home-assistant.lock "$@"
