#!/usr/bin/env bash
# Make a virtual environment with Inspector in it, and see to the system libraries it needs.
#
#   tools/setup.sh VENV EXTRAS [REQUIREMENT...]      e.g.  tools/setup.sh .venv dev
#   PYTHON=python3.12    the interpreter to use (default: the first of at least 3.10)
#
# What was done is written to VENV/.done; a second run with the same requirements, arguments and
# place does nothing. As root on Debian or Ubuntu missing libraries are installed; otherwise each
# one is named with the command that installs it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extras=$2
shift 2

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# What, whether Inspector cannot start without it, Debian's package, Fedora's package, what for.
needs=(
  "libGL.so.1|must|libgl1|mesa-libGL|the window and OpenCV"
  "libglib-2.0.so.0|must|libglib2.0-0|glib2|OpenCV"
  "libgthread-2.0.so.0|must|libglib2.0-0|glib2|OpenCV"
  "swrast_dri.so|may|libgl1-mesa-dri|mesa-dri-drivers|drawing without a graphics card"
  "Xvfb|may|xvfb|xorg-x11-server-Xvfb|the window's tests, and pictures without a display"
  "xauth|may|xauth|xorg-x11-xauth|xvfb-run"
  "xdotool|may|xdotool|xdotool|the window's tests"
)

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10}; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  local found
  found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "none under the name ${PYTHON:-python3}")
  fail "needs Python 3.10 or newer, found $found: install one and run 'make setup PYTHON=python3.12'"
}

is_there() {
  case $1 in
    swrast_dri.so) compgen -G '/usr/lib*/dri/swrast_dri.so' || compgen -G '/usr/lib/*/dri/swrast_dri.so' ;;
    lib*) "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

apt_install() {
  say "installing with apt-get: $*"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(apt-get update -qq 2>&1 && apt-get install -y -qq --no-install-recommends "$@" 2>&1) || {
    printf '%s\n' "$log" >&2
    return 1
  }
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

see_to_system() {
  [ "$(uname -s)" = Linux ] || return 0
  local need what level debian fedora purpose
  local missing=() packages=() fedora_packages=()
  for need in "${needs[@]}"; do
    IFS='|' read -r what level debian fedora purpose <<<"$need"
    is_there "$what" && continue
    missing+=("$need")
    [[ " ${packages[*]-} " == *" $debian "* ]] || { packages+=("$debian"); fedora_packages+=("$fedora"); }
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if can_install; then
    apt_install "${packages[@]}" || fail "apt-get could not install ${packages[*]}: see above"
    return 0
  fi
  local fatal=0
  for need in "${missing[@]}"; do
    IFS='|' read -r what level debian fedora purpose <<<"$need"
    say "missing: $what (for $purpose; Debian's package $debian)"
    [ "$level" = must ] && fatal=1
  done
  if command -v apt-get >/dev/null; then
    say "install with: sudo apt-get install -y --no-install-recommends ${packages[*]}"
  elif command -v dnf >/dev/null; then
    say "install with: sudo dnf install -y ${fedora_packages[*]}"
  else
    say "install them with your system's package manager"
  fi
  [ $fatal = 0 ] || fail "Inspector cannot start without libGL and glib: install them, then run make again"
  return 1
}

make_venv() {
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    local package
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    can_install || fail "missing: Python's venv module; install with: sudo apt-get install -y $package"
    apt_install "$package" || fail "apt-get could not install $package: see above"
  fi
  rm -rf "$venv"
  "$python" -m venv "$venv"
}

# A virtual environment does not survive a move, nor an upgrade of the Python it was made with.
venv_is_stale() {
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 0
  [ ! -e "$venv/.done" ] || [ "$(head -n 1 "$venv/.done")" = "$(pwd -P)" ] || return 0
  another_python_is_asked_for
}

another_python_is_asked_for() {
  [ -n "${PYTHON:-}" ] && [ "$("$venv/bin/python" --version)" != "$("$python" --version)" ]
}

python=$(find_python)
state=$(pwd -P && printf '%s\n' "$extras" "$@" && cksum pyproject.toml tools/constraints.txt)
if [ "$(cat "$venv/.done" 2>/dev/null)" = "$state" ] && [ -x "$venv/bin/python" ] &&
  ! another_python_is_asked_for; then
  [ -e "$venv/.system" ] || { see_to_system && touch "$venv/.system"; } || true
  exit 0
fi

system=complete
see_to_system || system=incomplete
if venv_is_stale; then
  say "making $venv with $("$python" --version)"
  make_venv
fi
rm -f "$venv/.done" "$venv/.system"
say "installing Inspector [$extras] into $venv (minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint tools/constraints.txt "$@" -e ".[$extras]" ||
  fail "pip could not install Inspector and what it needs: see above"
printf '%s\n' "$state" >"$venv/.done"
[ $system = incomplete ] || touch "$venv/.system"
say "done: $venv"
