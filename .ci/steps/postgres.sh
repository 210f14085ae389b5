# Sourced by steps that need PostgreSQL, after common.sh: installs it where that can be done, else skips the step.
has_postgres() { compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null; }
if ! has_postgres && command -v apt-get >/dev/null; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq postgresql >/dev/null || true
fi
has_postgres || skip "PostgreSQL is missing: apt-get install postgresql"
# The tests skip without it; from here on that is a failure.
export CI_POSTGRES=yes
