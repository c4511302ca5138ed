#!/usr/bin/env bash
# Starts the server, or runs any of its commands: ./run.sh, ./run.sh links, ./run.sh --help.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/environment.sh
. "$here/scripts/environment.sh"

prepare_environment "$here/.venv" "$here/requirements.lock"
export PYTHONPATH=$here/src
export ALEXA_OAUTH_DATA_DIR=${ALEXA_OAUTH_DATA_DIR:-$here/data}
# -P: whatever Python files lie in the folder that this is started from, none of them is imported.
exec "$here/.venv/bin/python" -P -m alexa_oauth "${@:-serve}"
