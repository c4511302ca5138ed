# shellcheck shell=bash
# How run.sh, test.sh and .ci/run come by what they need. To be sourced.

# Debian keeps nginx where not every user's PATH leads.
export PATH=$PATH:/usr/sbin

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# A Python that is new enough and can make environments. The machine's own choice comes first. PYTHONS names others to choose from.
find_python() {
  local candidate candidates found=
  read -ra candidates <<<"${PYTHONS:-python3 python3.14 python3.13 python3.12 python3.11}"
  for candidate in "${candidates[@]}"; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
    found=${found:-$candidate}
  done
  [ -n "$found" ] || fail "Python 3.11 or newer is needed, and there is none on PATH." \
    "On Debian or Ubuntu: sudo apt install python3 python3-venv"
  fail "$("$found" --version) is here, but its venv module is not." \
    "On Debian or Ubuntu: sudo apt install $("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
}

# What an environment is made of: the interpreter's kind and machine, and the lock file.
recipe() {
  "$1/bin/python" -c 'import os, sys; print(sys.implementation.cache_tag, os.uname().machine)' && cat "$2"
}

# The recipe is written into an environment last, so one that was interrupted half-way is never taken for whole.
is_made_from() {
  [ -f "$1/recipe" ] && recipe "$1" "$2" 2>/dev/null | cmp -s - "$1/recipe"
}

make_environment() {
  local folder=$1 lock=$2 python
  python=$(find_python) || exit 1
  printf 'Setting up, once: installing what %s lists into %s …\n' "${lock##*/}" "${folder##*/}" >&2
  rm -rf "$folder"
  "$python" -m venv "$folder" || fail "$python could not make the environment $folder."
  "$folder/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement "$lock" >&2 ||
    fail "The packages could not be installed; the reason stands above. Run the same command again when it is mended."
  recipe "$folder" "$lock" >"$folder/recipe"
}

# prepare_environment FOLDER LOCK [LARGER_LOCK…]: FOLDER then holds what LOCK lists, or what one of the larger ones lists.
prepare_environment() (
  folder=$1
  shift
  for lock in "$@"; do
    if is_made_from "$folder" "$lock"; then exit; fi
  done
  # Two commands may be started at once; the second waits, and then finds the work done.
  if command -v flock >/dev/null; then
    exec 9<"$1"
    flock 9
  fi
  is_made_from "$folder" "$1" || make_environment "$folder" "$1"
)

# The Debian packages of the programs that ./test.sh --all uses and this machine lacks, one a line.
missing_packages() {
  local pair
  for pair in caddy:caddy chromium:chromium curl:curl nginx:nginx node:nodejs npm:npm shellcheck:shellcheck \
    apparmor_parser:apparmor buildah:buildah ip:iproute2 mkfs.ext4:e2fsprogs mmdebstrap:mmdebstrap podman:podman \
    qemu-aarch64-static:qemu-user-static runc:runc yamllint:yamllint; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair##*:}"
  done
  # Elsewhere than on Debian nothing vouches for Debian's packages by itself.
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
}
