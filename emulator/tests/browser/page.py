#!/usr/bin/env python3
"""The emulator's page in a headless Chromium, beside the official Python client.

Usage: page.py CHROMIUM CCI [SCENARIO...], or page.py CHROMIUM CCI --pictures FOLDER, which only takes pictures of the
page. What is clicked must be felt by the client, and what the client does must be seen, without a reload. Whatever the
page writes to the console, such as a breach of its policy, fails the scenario.
"""

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path

import grpc
from axe_playwright_python.sync_playwright import Axe
from google.api_core import exceptions
from google.cloud import contact_center_insights_v1 as insights
from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports
from playwright.sync_api import expect, sync_playwright

from support import Emulator, check

CHROMIUM, CCI = sys.argv[1:3]
L = "projects/my-project/locations/us-central1"
NO_MINIMUM = ("--min-training-conversations", "0")
SECTIONS = ["operations", "resources", "journal", "faults", "clock", "connect"]
HOSTILE = "<img src=x onerror=\"window.owned = 1; document.title = 'owned'\"><script>window.owned = 1</script>"


def client_of(emulator):
    channel = grpc.insecure_channel(emulator.address)
    return insights.ContactCenterInsightsClient(transport=transports.ContactCenterInsightsGrpcTransport(channel=channel))


def train(client, name):
    model = insights.IssueModel(display_name=name, model_type=insights.IssueModel.ModelType.TYPE_V2)
    return client.create_issue_model(parent=L, issue_model=model)


def refused(call):
    """The error that a call of the client ends in."""
    try:
        call()
    except exceptions.GoogleAPICallError as error:
        return error
    return None


class Browser:
    """Chromium, and pages in it that must stay silent."""

    def __init__(self, playwright):
        flags = ["--disable-dev-shm-usage"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        self.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)

    @contextlib.contextmanager
    def page(self, address, may_complain=False, width=1280, scheme="light"):
        viewport = {"width": width, "height": 800}
        context = self.browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True)
        page, said = context.new_page(), []
        page.set_default_timeout(20_000)
        # A request that is refused is told twice: by the page, and by the browser here.
        is_told = lambda message: message.type in ("error", "warning") and "a status of 400" not in message.text
        page.on("console", lambda message: said.append(message.text) if is_told(message) else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"a dialog: {dialog.message}"))
        page.goto(f"http://{address}/")
        expect(page.locator("#connection")).to_have_text("Connected")
        yield page
        check("  nothing on the console", may_complain or not said, said)
        context.close()


def post(page, path, body):
    """Asks the admin API from within the page; it must go well."""
    ask = "([path, body]) => fetch('_emulator/v1/' + path, {method: 'POST', body: JSON.stringify(body)}).then(reply => reply.text())"
    answer = page.evaluate(ask, [path, body])
    assert "error" not in json.loads(answer), answer


def go(page, section):
    page.locator(f'nav a[href="#{section}"]').click()
    expect(page.locator(f"#{section}")).to_be_visible()


def row(page, text):
    return page.locator(".rows > li").filter(has_text=text).filter(visible=True)


def last_part(name):
    return name.rsplit("/", 1)[1]


def operations(browser):
    with Emulator(CCI, "--profile", "polls:4", *NO_MINIMUM) as emulator, browser.page(emulator.address) as page:
        client = client_of(emulator)
        expect(page.locator("[data-empty=operations]")).to_be_visible()
        running = train(client, "first")
        seen = row(page, last_part(running.operation.name))
        expect(seen.locator(".badge")).to_have_text("waiting")
        expect(seen.locator(".open strong")).to_have_text("CreateIssueModel")
        assert not running.done()
        expect(seen.locator(".going")).to_contain_text("25 %")
        expect(seen.locator(".badge")).to_have_text("running")
        check("an operation that the client started is seen to move", True)

        seen.get_by_role("button", name="Advance").click()
        expect(seen.locator(".going")).to_contain_text("50 %")
        seen.locator(".open").click()
        expect(seen.locator("pre")).to_contain_text(f'"name": "{running.operation.name.split("/locations/")[0][:9]}')
        seen.get_by_role("button", name="Fail").click()
        dialog = page.locator("#fail-dialog")
        dialog.get_by_label("Code").select_option("FAILED_PRECONDITION")
        dialog.get_by_label("Message").fill("the bucket is gone")
        dialog.get_by_role("button", name="Fail it").click()
        expect(seen.locator(".badge")).to_have_text("failed")
        expect(seen.locator(".trouble")).to_have_text("FAILED_PRECONDITION: the bucket is gone")
        expect(seen.locator(".open")).to_be_focused()
        error = refused(lambda: running.result(timeout=30))
        is_told = isinstance(error, exceptions.FailedPrecondition) and "the bucket is gone" in error.message
        check("failed by a click, the client gets the error", is_told, error)

        completed = train(client, "second")
        seen = row(page, last_part(completed.operation.name))
        seen.get_by_role("button", name="Complete").click()
        expect(seen.locator(".badge")).to_have_text("succeeded")
        check("completed by a click, the client gets the model", completed.result(timeout=30).display_name == "second")
        cancelled = train(client, "third")
        seen = row(page, last_part(cancelled.operation.name))
        seen.get_by_role("button", name="Cancel").click()
        expect(seen.locator(".badge")).to_have_text("cancelled")
        check("cancelled by a click, the client is told so", isinstance(refused(lambda: cancelled.result(timeout=30)), exceptions.Cancelled))

        page.locator("#operations [name=state]").select_option("FAILED")
        expect(page.locator("#operations-rows > li")).to_have_count(1)
        page.locator("#operations [name=state]").select_option("")
        page.locator("#operations").get_by_label("Search").fill(last_part(cancelled.operation.name))
        expect(page.locator("[data-shown=operations]")).to_have_text("1 shown")
        check("operations are filtered by state and text", True)


def faults(browser):
    with Emulator(CCI, "--profile", "immediate", *NO_MINIMUM) as emulator, browser.page(emulator.address) as page:
        client = client_of(emulator)
        model = train(client, "model").result(timeout=30).name
        go(page, "faults")
        form = page.locator("#fault-form")
        form.get_by_label("Method").select_option("GetIssueModel")
        form.get_by_label("Code").select_option("ABORTED")
        form.get_by_label("Message").fill("struck from the page")
        form.get_by_role("button", name="Add the fault").click()
        seen = row(page, "struck from the page")
        expect(seen.locator(".open strong")).to_have_text("GetIssueModel: ABORTED: struck from the page, 1 call")
        error = refused(lambda: client.get_issue_model(name=model, retry=None))
        check("a fault that was added strikes", isinstance(error, exceptions.Aborted) and "struck" in error.message, error)
        expect(seen).to_contain_text("used up: matched 1 call, hit 1")
        client.get_issue_model(name=model, retry=None)

        form.get_by_label("Hit every matching call").check()
        form.get_by_label("Code").select_option("UNAVAILABLE")
        form.get_by_role("button", name="Add the fault").click()
        seen = row(page, "always")
        expect(seen).to_be_visible()
        is_hit = [isinstance(refused(lambda: client.get_issue_model(name=model, retry=None)), exceptions.ServiceUnavailable)] * 2
        seen.get_by_role("button", name="Switch off").click()
        expect(seen).to_have_count(0)
        client.get_issue_model(name=model, retry=None)
        check("switched off, it strikes no more, and the other stays", all(is_hit) and row(page, "struck").count() == 1)

        page.get_by_label("One fault, or a list of them").fill('{"method": "Nothing", "reset": 7}')
        page.locator("#fault-json-form").get_by_role("button", name="Add").click()
        expect(page.locator("#problem")).to_contain_text("Nothing")
        check("what the emulator refuses is told", True)

        quotas = page.locator("#quota-form")
        quotas.get_by_label("One method").select_option("GetIssueModel")
        quotas.get_by_label("Its limit").fill("1")
        quotas.get_by_role("button", name="Set").click()
        expect(page.locator("#quota-now")).to_have_text("In force: GetIssueModel 1.")
        client.get_issue_model(name=model, retry=None)
        error = refused(lambda: client.get_issue_model(name=model, retry=None))
        quotas.get_by_role("button", name="None").click()
        expect(page.locator("#quota-now")).to_have_text("No quotas are in force.")
        client.get_issue_model(name=model, retry=None)
        check("a quota is set, felt and lifted", isinstance(error, exceptions.ResourceExhausted), error)


def state(browser):
    names = [f"{L}/conversations/call-000{index}" for index in range(3)]
    seed = {"conversations": [{"name": name, "agentId": "7"} for name in names]}
    with Emulator(CCI, *NO_MINIMUM, seed=seed) as emulator, browser.page(emulator.address) as page:
        client = client_of(emulator)
        train(client, "goes on")
        count = lambda: len(list(client.list_conversations(parent=L)))
        before = emulator.get("/_emulator/v1/snapshot")[2]
        go(page, "clock")
        expect(page.locator("#clock-advance")).to_be_hidden()
        with page.expect_download() as download:
            page.get_by_role("link", name="Export a seed").click()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / download.value.suggested_filename
            download.value.save_as(file)
            check("the export is a seed", len(json.loads(file.read_text())["conversations"]) == 3, file.read_text())
            page.get_by_role("button", name="Reset").click()
            page.get_by_role("button", name="Leave all as it is").click()
            check("a reset is asked about", count() == 3)
            page.get_by_role("button", name="Reset").click()
            page.get_by_role("button", name="Drop them").click()
            expect(page.locator("#count-resources")).to_have_text("0")
            check("a reset drops what there is", count() == 0)
            page.get_by_label("A seed or a snapshot").set_input_files(file)
            page.get_by_role("button", name="Import").click()
            expect(page.locator("#done")).to_contain_text("was imported")
            expect(page.locator("#count-resources")).to_have_text("4")
            check("an import brings all of it back", emulator.get("/_emulator/v1/snapshot")[2] == before and count() == 3)

            file.write_text('{"conversations": [{"name": "nowhere"}]}')
            page.get_by_label("A seed or a snapshot").set_input_files(file)
            page.get_by_label("Drop what is there first").check()
            page.get_by_role("button", name="Import").click()
            expect(page.locator("#problem")).to_contain_text("nowhere")
            check("a bad seed changes nothing", emulator.get("/_emulator/v1/snapshot")[2] == before)
            client.delete_conversation(name=names[0])
            file.write_text(before)
            page.get_by_label("A seed or a snapshot").set_input_files(file)
            page.get_by_role("button", name="Import").click()
            # The page may still count what was there before, so that the state itself is looked at until it is back.
            for _ in range(100):
                if emulator.get("/_emulator/v1/snapshot")[2] == before:
                    break
                page.wait_for_timeout(100)
            check("a snapshot is restored", emulator.get("/_emulator/v1/snapshot")[2] == before)
            expect(page.locator("#count-resources")).to_have_text("4")


def journal(browser):
    with Emulator(CCI) as emulator, browser.page(emulator.address) as page:
        client = client_of(emulator)
        go(page, "journal")
        page.get_by_label("Keep requests and answers").check()
        expect(page.locator("#done")).to_contain_text("kept from now on")
        client.create_conversation(parent=L, conversation=insights.Conversation(agent_id="seven"), conversation_id="call-0001")
        refused(lambda: client.get_conversation(name=f"{L}/conversations/none", retry=None))
        client.get_conversation(name=f"{L}/conversations/call-0001")
        emulator.get(f"/v1/{L}/conversations")
        rows = page.locator("#journal-rows > li")
        expect(rows).to_have_count(4)
        page.locator("#journal [name=method]").select_option("GetConversation")
        expect(rows).to_have_count(2)
        page.locator("#journal [name=code]").select_option("NOT_FOUND")
        expect(rows).to_have_count(1)
        expect(rows.locator(".badge")).to_have_text("NOT_FOUND")
        rows.locator(".open").press("Enter")
        expect(rows.locator("pre").first).to_contain_text(f'"name": "{L}/conversations/none"')
        expect(rows.locator("pre").nth(1)).to_contain_text('"reason"')
        check("the journal is filtered by method and code, and shows request and answer", True)
        page.locator("#journal [name=code]").select_option("")
        page.locator("#journal [name=method]").select_option("")
        page.locator("#journal [name=transport]").select_option("REST")
        expect(rows).to_have_count(1)
        page.get_by_role("button", name="Clear the journal").click()
        expect(page.locator("[data-empty=journal]")).to_be_visible()
        check("it is cleared", "calls" not in emulator.get("/_emulator/v1/journal")[2])


def clock(browser):
    with Emulator(CCI, "--clock", "virtual", "--profile", "time:1h", *NO_MINIMUM) as emulator:
        with browser.page(emulator.address) as page:
            running = train(client_of(emulator), "slow")
            go(page, "clock")
            page.get_by_label("Advance by").fill("30m")
            page.get_by_role("button", name="Advance").click()
            expect(page.locator("#clock-now")).to_contain_text("2026-01-01 00:30:00Z, virtual")
            go(page, "operations")
            expect(row(page, "CreateIssueModel").locator(".age")).to_have_text("30 min")
            is_early = running.done()
            go(page, "clock")
            page.get_by_role("button", name="1 hour").click()
            expect(page.locator("#clock-now")).to_contain_text("01:30:00Z")
            check("a virtual clock is advanced, and what is due ends", not is_early and running.done())
            page.get_by_label("Set to").fill("2026-11-24T09:00:00Z")
            page.get_by_role("button", name="Set", exact=True).click()
            expect(page.locator("#clock-now")).to_contain_text("2026-11-24 09:00:00Z")
            check("it is set", True)


def hostile(browser):
    name = f"{L}/issueModels/1"
    seed = {
        "issueModels": [{"name": name, "displayName": HOSTILE, "state": "DEPLOYED"}],
        "operations": [{"name": f"{L}/operations/2", "done": True, "error": {"code": 9, "message": HOSTILE}}],
    }
    with Emulator(CCI, "--journal-bodies", *NO_MINIMUM, seed=seed) as emulator, browser.page(emulator.address) as page:
        client = client_of(emulator)
        train(client, HOSTILE)
        client.update_issue_model(issue_model=insights.IssueModel(name=name, display_name=HOSTILE))
        emulator.get("/v1/%3Cimg%20src=x%20onerror=owned()%3E")
        fault = {"method": "GetView", "status": {"code": 9, "message": HOSTILE}, "headers": {"x-a": HOSTILE}}
        post(page, "faults", {"faults": [fault]})
        for section in SECTIONS[:4]:
            go(page, section)
            if section == "resources":
                page.locator("#resources [name=kind]").select_option("issueModels")
            rows = page.locator(f"#{section}-rows > li")
            expect(rows.first).to_be_visible()
            for index in range(rows.count()):
                rows.nth(index).locator(".open").click()
                expect(rows.nth(index).locator("pre").first).to_be_visible()
            expect(page.locator(f"#{section}-rows")).to_contain_text("<img src=x onerror=")
        is_quiet = page.evaluate("window.owned === undefined && document.title !== 'owned'")
        made = page.locator("img, main script, iframe").count()
        check("hostile texts are shown as text, and nothing of them runs", is_quiet and made == 0, page.content())


def mapped(browser):
    """A port of a container that is mapped to another of the machine, and an emulator that comes back."""
    with Emulator(CCI, "--profile", "polls:4", *NO_MINIMUM) as emulator:
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=forward, args=(listener, emulator.port), daemon=True).start()
        port = listener.getsockname()[1]
        with browser.page(f"localhost:{port}") as page:
            train(client_of(emulator), "mapped")
            row(page, "CreateIssueModel").get_by_role("button", name="Complete").click()
            expect(row(page, "CreateIssueModel").locator(".badge")).to_have_text("succeeded")
            go(page, "connect")
            expect(page.locator("#snippet-python pre")).to_contain_text(f'grpc.insecure_channel("localhost:{port}")')
            expect(page.locator(".snippet")).to_have_count(6)
            check("the page works behind a mapped port, and tells clients that port", True)
            status, kind, text = emulator.get("/")
            is_json = kind.startswith("application/json") and "UNKNOWN_PATH" in text and status == 404
            check("clients of the API get JSON where browsers get the page", is_json, text)
            check("and programs that ask for HTML get it", emulator.get("/", "text/html")[2].startswith("<!doctype html>"))
        port = emulator.port
        with browser.page(emulator.address, may_complain=True) as page:
            emulator.process.terminate()
            emulator.process.wait()
            expect(page.locator("#connection")).to_have_text("No answer")
            with Emulator(CCI, port=port):
                expect(page.locator("#connection")).to_have_text("Connected")
                check("an emulator that went and came back is found again", True)


def forward(listener, port):
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    while True:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def many(browser, count=100_000):
    seed = {"operations": [{"name": f"{L}/operations/{index}", "done": index % 100 > 0} for index in range(1, count + 1)]}
    with Emulator(CCI, seed=seed) as emulator, browser.page(emulator.address) as page:
        rows, shown = page.locator("#operations-rows > li"), page.locator("[data-shown=operations]")
        expect(rows).to_have_count(100)
        expect(shown).to_have_text(f"the newest 100 of {count:,} shown")
        page.get_by_role("button", name="Show more").click()
        expect(rows).to_have_count(250)
        page.locator("#operations [name=state]").select_option("RUNNING")
        expect(shown).to_have_text(f"the newest 100 of {count // 100:,} shown")
        page.locator("#operations").get_by_label("Search").fill(str(count))
        expect(rows).to_have_count(1)
        check(f"of {count:,} operations some are shown, and all are found", True)


def rich(port=0):
    """An emulator with something of everything."""
    conversations = [
        {"name": f"{L}/conversations/call-{index:04}", "agentId": str(index % 7), "turnCount": index, "createTime": "2025-12-31T23:00:00Z"}
        for index in range(1, 41)
    ]
    models = [{"name": f"{L}/issueModels/{index}", "displayName": text, "state": "DEPLOYED"} for index, text in ((1, "Billing"), (2, "Delivery"))]
    flags = ("--clock", "virtual", "--profile", "time:40m", "--profile", "CreateAnalysis=polls:5", "--journal-bodies")
    return Emulator(CCI, *flags, *NO_MINIMUM, seed={"conversations": conversations, "issueModels": models}, port=port)


def fill(emulator, page):
    client = client_of(emulator)
    table = insights.ExportInsightsDataRequest(parent=L, big_query_destination={"project_id": "p", "dataset": "d", "table": "t"})
    analyses = [client.create_analysis(parent=f"{L}/conversations/call-{index:04}", analysis={}) for index in (1, 2, 3)]
    deploy = client.undeploy_issue_model(name=f"{L}/issueModels/2")
    post(page, "operations:fail", {"name": analyses[0].operation.name, "error": {"code": 9, "message": "the audio is gone"}})
    post(page, "operations:cancel", {"name": analyses[1].operation.name})
    post(page, "operations:complete", {"name": deploy.operation.name})
    train(client, "Complaints of November")
    post(page, "clock:advance", {"by": "26m"})
    for _ in range(2):
        analyses[2].done()
    refused(lambda: client.export_insights_data(request=table))
    client.deploy_issue_model(name=f"{L}/issueModels/2")
    refused(lambda: client.get_conversation(name=f"{L}/conversations/none", retry=None))
    faults = [
        {"method": "GetOperation", "status": {"code": 14, "message": "try later"}, "times": 3},
        {"delay": "1.5s", "always": True, "probability": 0.5, "headers": {"x-slow": "yes"}},
    ]
    post(page, "faults", {"faults": faults})
    refused(lambda: analyses[2].done())


def accessible(browser):
    with rich() as emulator:
        for scheme in ("light", "dark"):
            for width in (1280, 400):
                with browser.page(emulator.address, width=width, scheme=scheme) as page:
                    if scheme == "light" and width == 1280:
                        fill(emulator, page)
                    look_at_all(page, f"{scheme}, {width} pixels")
        with browser.page(emulator.address) as page:
            page.keyboard.press("Tab")
            expect(page.locator(".skip")).to_be_focused()
            page.keyboard.press("Enter")
            expect(page.locator("#main")).to_be_focused()
            page.locator('nav a[href="#faults"]').press("Enter")
            expect(page.locator("#faults-title")).to_be_focused()
            page.go_back()
            expect(page.locator("#operations")).to_be_visible()
            check("the keyboard is enough, and the focus follows", True)


def look_at_all(page, how):
    axe, findings = Axe(), []
    for section in SECTIONS:
        go(page, section)
        opened = page.locator(f"#{section} .open")
        if section not in ("clock", "connect"):
            opened.first.click()
            expect(page.locator(f"#{section} pre").first).to_be_visible()
        elif section == "connect":
            expect(page.locator(".snippet").first).to_be_visible()
        findings += [f"{section}: {finding}" for finding in violations(axe, page)]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        findings += [f"{section}: {overflow} pixels too wide"] if overflow > 0 else []
    go(page, "operations")
    page.get_by_role("button", name="Fail").first.click()
    findings += [f"dialog: {finding}" for finding in violations(axe, page)]
    page.keyboard.press("Escape")
    check(f"axe finds nothing, and nothing is cut off: {how}", not findings, "\n".join(findings))


def violations(axe, page):
    return [f"{found['id']}: {[node['html'] for node in found['nodes']][:3]}" for found in axe.run(page).response["violations"]]


def pictures(browser, folder):
    folder.mkdir(parents=True, exist_ok=True)
    # Each time the same: at the usual port, by a clock that stands still.
    with rich(9420) as emulator:
        for scheme in ("light", "dark"):
            for width in (1280, 400):
                with browser.page(emulator.address, width=width, scheme=scheme) as page:
                    if scheme == "light" and width == 1280:
                        fill(emulator, page)
                    for section in SECTIONS:
                        go(page, section)
                        if section in ("resources", "journal"):
                            page.locator(f"#{section} .open").first.click()
                            expect(page.locator(f"#{section} pre").first).to_be_visible()
                        expect(page.locator(f"#{section} > :visible").last).to_be_visible()
                        page.screenshot(path=folder / f"{section}-{scheme}-{width}.png", full_page=section != "operations" or width < 1280)


def main():
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        if "--pictures" in sys.argv:
            pictures(browser, Path(sys.argv[sys.argv.index("--pictures") + 1]))
            return
        for scenario in (operations, faults, state, journal, clock, hostile, mapped, many, accessible):
            if len(sys.argv) > 3 and scenario.__name__ not in sys.argv[3:]:
                continue
            print(f"-- {scenario.__name__}", flush=True)
            scenario(browser)


if __name__ == "__main__":
    main()
