#!/usr/bin/env python3
"""Drives a headless Chromium against `cci emulator`: usage run.py CHROMIUM CCI.

Three attacks that a page of another site can make, and what an allowed page can do. Names lead to this machine by the
browser's own resolver rules; nothing leaves it. Each attack is also made where it must succeed, so that a browser that
does nothing is not taken for a guard that holds.
"""

import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import Emulator, check

CHROMIUM, CCI = sys.argv[1:]
CONVERSATION = "projects/p/locations/us-central1/conversations/call-0001"
DELETE = "projects/p/locations/us-central1/conversations:bulkDelete"

# A page that posts without being allowed to read (`no-cors`, as any page can), then tries to read.
PAGE = """<!doctype html><title>another site</title><pre id="seen"></pre><script>
const emulator = new URLSearchParams(location.search).get("emulator");
const say = text => document.getElementById("seen").textContent += text + "\\n";
(async () => {
  try {
    const reply = await fetch(emulator + "/v1/CONVERSATION");
    say("READ " + reply.status + " " + await reply.text());
  } catch (error) { say("UNREAD " + error); }
  try {
    const body = JSON.stringify({parent: "projects/p/locations/us-central1", filter: 'agent_id="7"', force: true, maxDeleteCount: 10});
    await fetch(emulator + "/v1/DELETE", {method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"}, body});
    say("SENT");
  } catch (error) { say("UNSENT " + error); }
  say("DONE");
})();
</script>""".replace("CONVERSATION", CONVERSATION).replace("DELETE", DELETE)


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_):
        pass


def emulator_with_one(*flags):
    seed = {"conversations": [{"name": CONVERSATION, "agentId": "7"}]}
    return Emulator(CCI, "--profile", "immediate", *flags, seed=seed)


def has_conversation(emulator):
    status, _, text = emulator.get(f"/v1/{CONVERSATION}")
    assert status in (200, 404), text
    return status == 200


def dom(url):
    """The document as the browser has it once all that it fetches is there."""
    with tempfile.TemporaryDirectory() as profile:
        flags = [
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={profile}",
            "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP other.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        run = subprocess.run([CHROMIUM, *flags, url], capture_output=True, text=True, timeout=120, check=False)
        return run.stdout


def main():
    pages = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    site = f"http://other.example:{pages.server_port}"

    with emulator_with_one() as emulator:
        own = f"http://{emulator.address}"
        snapshot = "/_emulator/v1/snapshot"
        seen = dom(own + snapshot)
        check("the browser shows a snapshot by the emulator's own address", '"state"' in seen, seen)
        rebound = f"http://rebound.example:{emulator.port}"
        for path in ["/", "/_emulator/page.js", snapshot, f"/v1/{CONVERSATION}", "/healthz"]:
            seen = dom(rebound + path)
            is_refused = "FOREIGN_HOST" in seen and "agentId" not in seen and '"state"' not in seen
            check(f"a name that was rebound to this machine does not read {path}", is_refused, seen)
        seen = dom(f"{site}/?emulator={own}")
        check("a page of another site sends its POST", "SENT\n" in seen and "DONE" in seen, seen)
        check("and reads nothing", "UNREAD" in seen and "agentId" not in seen, seen)
        check("and deletes nothing", has_conversation(emulator), seen)

    with emulator_with_one("--allow-host", "rebound.example") as emulator:
        seen = dom(f"http://rebound.example:{emulator.port}/_emulator/v1/snapshot")
        check("a name that is allowed is served", '"state"' in seen, seen)

    with emulator_with_one("--allow-origin", site) as emulator:
        seen = dom(f"{site}/?emulator=http://{emulator.address}")
        check("the same page reads where it is allowed", "READ 200" in seen and "agentId" in seen, seen)
        check("and deletes", not has_conversation(emulator), seen)


if __name__ == "__main__":
    main()
