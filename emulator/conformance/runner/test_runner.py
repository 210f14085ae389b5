"""That the runner can fail: what is wrong is found, and what is no case is refused."""

import json
import re

import pytest

from . import clients, contract, corpus, coverage, derived, expect, play, same

ANY, ABSENT = {"$any": True}, {"$absent": True}
CLIENT = clients.all_clients()[0]


@pytest.mark.parametrize(
    ("wanted", "good", "bad"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 2}),
        ({"a": {"b": "x"}}, {"a": {"b": "x"}}, {"a": "x"}),
        ([{"a": 1}, {}], [{"a": 1}, {"b": 1}], [{"a": 1}]),
        ({"a": ANY}, {"a": None}, {}),
        ({"a": ABSENT}, {}, {"a": None}),
        ({"a": {"$length": 2}}, {"a": [1, 2]}, {}),
        ({"a": {"$match": "x/\\d+"}}, {"a": "x/12"}, {"a": "x/12/y"}),
        ({"a": {"$has": [{"b": 1}, {"b": 2}]}}, {"a": [{"b": 2}, {"b": 1, "c": 1}, {}]}, {"a": [{"b": 1}]}),
        ({"a": 0.5}, {"a": 0.5000000001}, {"a": 0.6}),
        ({"a": True}, {"a": True}, {"a": 1}),
    ],
)
def test_expectations_hold_and_fail(wanted, good, bad):
    assert expect.differences(wanted, good, "response") == []
    assert expect.differences(wanted, bad, "response") != []


def test_an_answer_must_have_the_code_and_what_goes_with_it():
    refusal = {"code": "INVALID_ARGUMENT", "reason": "R", "fields": ["a", "b"], "during": "call"}
    assert expect.faults({"code": "INVALID_ARGUMENT", "reason": "R", "fields": ["a"]}, refusal) == []
    assert expect.faults({"code": "INVALID_ARGUMENT"}, refusal | {"code": "HTTP_400"}) == []
    for wanted in (
        {},
        {"code": "NOT_FOUND"},
        {"code": "INVALID_ARGUMENT", "reason": "OTHER"},
        {"code": "INVALID_ARGUMENT", "fields": ["c"]},
        {"code": "INVALID_ARGUMENT", "during": "operation"},
    ):
        assert expect.faults(wanted, refusal), wanted
    assert expect.faults({"code": "ABORTED"}, {"code": "HTTP_400"})
    assert expect.faults({"response": {}}, {"code": "OK"}), "no response is no empty response"


def test_what_a_server_makes_up_is_named_in_order_and_nothing_else_is():
    names = same.Names({"2020-01-01T00:00:00Z"})
    first = names.settle({"name": "p/operations/1000000000000000007", "createTime": "2026-01-01T00:00:00.5Z"})
    again = names.settle({"about": "p/operations/1000000000000000007/1000000000000000009", "nextPageToken": "x"})
    assert first == {"createTime": "<time>", "name": "p/operations/<1>"}
    assert again == {"about": "p/operations/<1>/<2>", "nextPageToken": "<nextPageToken>"}
    assert names.settle(["2020-01-01T00:00:00Z", "conv-1", 12]) == ["2020-01-01T00:00:00Z", "conv-1", 12]


def test_clients_that_differ_are_told_apart():
    same_thing = {"code": "OK", "response": {"a": 1}}
    assert play.compare(same_thing, same_thing) == []
    assert play.compare(same_thing, {"code": "OK", "response": {"a": 2}})
    assert play.compare(same_thing, {"code": "OK"})
    assert play.compare({"code": "ABORTED"}, {"code": "INTERNAL"})
    hidden = {"code": "HTTP_409", "reason": expect.NOTHING}
    assert play.compare({"code": "ABORTED", "reason": "R"}, hidden) == []


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"call": "GetVeiw"}, "no method"),
        ({"call": "GetView", "requst": {}}, "means nothing"),
        ({"call": "GetView", "expect": {"status": "OK"}}, "means nothing"),
        ({"call": "GetView", "request": {"nam": "x"}}, "nam"),
        ({"call": "GetView", "mode": "follow"}, "not for GetView"),
        ({"call": "ListIssues", "mode": "walk"}, "not for ListIssues"),
    ],
)
def test_what_is_no_step_is_refused(tmp_path, step, why):
    case = {"name": "case", "steps": [step]}
    (tmp_path / "x.json").write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    with pytest.raises(corpus.CorpusError, match=re.escape(why)):
        corpus.load(tmp_path)


def test_every_method_is_called_well_and_badly():
    cases = corpus.load()
    cases += derived.cases(cases)
    codes = {}
    for case in cases:
        for step in case.steps:
            if step.concerns(CLIENT):
                codes.setdefault(step.method, set()).add(step.expect.get("code", "OK"))
    assert codes.keys() == contract.load().methods.keys()
    assert [method for method, found in codes.items() if "OK" not in found or len(found) < 2] == []


def test_every_long_running_method_is_followed():
    followed = {step.method for case in corpus.load() for step in case.steps if step.mode == "follow"}
    assert [name for name, method in contract.load().methods.items() if method.is_long_running and name not in followed] == []


def test_a_fault_is_a_gap_in_the_table():
    good, bad = play.Outcome("GetView", []), play.Outcome("GetView", ["x"])
    rows = coverage.table({"bare-grpc": {("case", 0): good}, "bare-rest": {("case", 0): good, ("case", 1): bad}})
    assert rows["GetView"] == {"bare-grpc": [], "bare-rest": ["case, step 2: x"]}
    assert rows["ListViews"] == {"bare-grpc": None, "bare-rest": None}
    assert coverage.totals(rows) == {"bare-grpc": 1, "bare-rest": 0}
    assert "- GetView in case, step 2: bare-rest" in coverage.gaps(rows)
