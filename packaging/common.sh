# Sourced by packaging/build and packaging/try: where things are, and what is measured of each package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
CARGO_TARGET_DIR=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
export CARGO_TARGET_DIR
# What is built, and where it is tried.
out=$CARGO_TARGET_DIR/packaging
work=$out/try
mkdir -p "$out/bin" "$work"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)

fail() { echo "packaging: $*" >&2; exit 1; }
needs() { command -v "$1" >/dev/null || fail "$1 is missing"; }

# quietly COMMAND...: says what a command said only if it fails.
quietly() {
  local log=$work/command.log
  "$@" >"$log" 2>&1 || { local code=$?; tail -n 60 "$log" >&2; fail "\`$*\` ended with $code"; }
}

# user_lines FILE: what a user has to write: no blank lines, comments, imports, nor lines with nothing but brackets.
user_lines() {
  grep -vE '^[[:space:]]*($|//|#|/?\*|import |from |package |const .*require\(|[])};,]+$|["_a-z ]*"[a-z./0-9_-]+"$)' "$1" | grep -vcE '^\)$|^"use strict"'
}

# size_mib FILE
size_mib() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f", bytes / 1048576 }'; }

# report LANG FILE-OF-THE-USER START_MS PACKAGE SECONDS: the line of figures. At most six lines of the user's code.
report() {
  local lines
  lines=$(user_lines "$2")
  echo "packaging lang=$1 user_lines=$lines start_ms=$3 size_mib=$(size_mib "$4") from_nothing_s=$5"
  [ "$lines" -le 6 ] || fail "$2 has $lines lines of the user's code, more than six"
}
