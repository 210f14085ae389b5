# In a network namespace of its own, since the emulator binds all interfaces: runs the file system ROOT as the image does, and
# prints how long it took to answer, in milliseconds.
set -euo pipefail
root=$1 python=$2
ip link set lo up
as_user() { chroot --userspec=65532:65532 "$root" "$@"; }

begin=$(date +%s%N)
chroot --userspec=65532:65532 "$root" /cci emulator --host 0.0.0.0 --data-dir /data/state >"$root.log" 2>&1 &
emulator=$!
trap 'kill -KILL "$emulator" 2>/dev/null || true' EXIT
for ((tries = 0; tries < 1000; tries++)); do
  as_user /cci emulator health 2>/dev/null && break
  sleep 0.01
done
end=$(date +%s%N)
as_user /cci emulator health || { cat "$root.log" >&2; exit 1; }
[ "$(stat -c %u "/proc/$emulator")" = 65532 ] || { echo "the emulator runs as another user" >&2; exit 1; }
as_user /cci quickstart --profile immediate >/dev/null 2>&1 || { echo "there is no quickstart" >&2; exit 1; }
"$python" - <<'P'
import json
import urllib.request

with urllib.request.urlopen("http://127.0.0.1:9420/_emulator/v1/status") as reply:
    assert json.load(reply)["version"]
P
kill -TERM "$emulator"
wait "$emulator" || { echo "SIGTERM does not end it well" >&2; exit 1; }
if as_user /cci emulator health 2>/dev/null; then echo "an emulator that has ended is well" >&2; exit 1; fi
trap - EXIT
echo $(((end - begin) / 1000000))
