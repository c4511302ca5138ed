#!/usr/bin/env bash
# Starts the server, or runs any of its commands: ./run.sh, ./run.sh links, ./run.sh --help.
# In a checkout it makes the environment first. In the image, where it is alexa-oauth, too, that is made already.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
handed_over=/run/alexa-oauth
# -P: whatever Python files lie in the folder that this is started from, none of them is imported.
server=("$here/.venv/bin/python" -P -m alexa_oauth)

if [ -d "$here/scripts" ]; then
  # shellcheck source=scripts/environment.sh
  . "$here/scripts/environment.sh"
  prepare_environment "$here/.venv" "$here/requirements.lock"
else
  # Home Assistant runs services and commands as root, who has nothing to do here.
  [ "$(id -u)" != 0 ] || server=(setpriv --reuid=alexa --regid=alexa --clear-groups "${server[@]}")
  [ ! -e "$handed_over/options.json" ] || export ALEXA_OAUTH_OPTIONS_FILE=$handed_over/options.json
  [ ! -e "$handed_over/certfile" ] || export ALEXA_OAUTH_CERTFILE=$handed_over/certfile
  [ ! -e "$handed_over/keyfile" ] || export ALEXA_OAUTH_KEYFILE=$handed_over/keyfile
fi

export PYTHONPATH=$here/src
export ALEXA_OAUTH_DATA_DIR=${ALEXA_OAUTH_DATA_DIR:-$here/data}
exec "${server[@]}" "${@:-serve}"
