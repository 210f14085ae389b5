# Sourced by each step: the folder, the environment, and how a step says that it was skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Without tables of lines: a panic names its line by itself, and two cores link a third less.
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false
# One for all steps, those outside of the workspace too.
CARGO_TARGET_DIR=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
export CARGO_TARGET_DIR

library=contact-center-insights
# `cci` as the step `tests` builds it: with features of its own, it and what it needs would be built once more.
export CCI_BUILD="--bins --tests"

# skip WHY: says it and ends the step well; with CI_NO_SKIP, as the workflow has it, badly.
skip() {
  echo "skipped: $*"
  [ -z "${CI_NO_SKIP:-}" ] || { echo "CI_NO_SKIP is set: nothing may be skipped here" >&2; exit 1; }
  exit 0
}

# tool NAME COMMAND...: whether a tool of cargo's is there; with CI_INSTALL it is installed first.
tool() {
  local name=$1
  command -v "$name" >/dev/null && return
  [ -n "${CI_INSTALL:-}" ] && cargo install --locked --quiet "$name"
}
