"""The plugin, by sessions of pytest of its own."""

import pytest

import contact_center_insights_emulator as insights

pytest_plugins = ["pytester"]

TWO = """
    seen = []

    def test_one(insights_client, insights_parent, insights_emulator):
        insights_emulator.add_fault("GetConversation", always=True, code="UNAVAILABLE")
        insights_client.create_conversation(parent=insights_parent, conversation={})
        seen.append((insights_emulator.address, insights_parent))

    def test_two(insights_client, insights_parent, insights_emulator):
        address, parent = seen[0]
        assert insights_emulator.address == address and parent != insights_parent
        assert not list(insights_client.list_conversations(parent=parent)), "it is emptied"
        assert insights_emulator.faults() == [], "faults are taken away"
        assert insights_emulator.count("CreateConversation") == 0, "calls are forgotten"
"""


def test_tests_share_an_emulator_and_nothing_else(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TWO)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_failure_shows_what_was_called(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(insights_client, insights_parent, insights_emulator):
            insights_emulator.add_fault("ListViews", code="ABORTED")
            insights_client.list_views(parent=insights_parent)
    """)
    run = pytester.runpytest_subprocess()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*calls of the emulator*", "ListViews GRPC ABORTED (*)"])


def test_options_come_from_the_ini_file_or_a_fixture(pytester: pytest.Pytester) -> None:
    pytester.makefile(".json", seed='{"views": [{"name": "projects/7/locations/us-central1/views/1"}]}')
    pytester.makeini("[pytest]\ninsights_emulator_args = --clock virtual\ninsights_emulator_seed = seed.json\n")
    pytester.makepyfile("""
        def test_it(insights_clock, insights_client):
            assert insights_clock.advance_clock("1h").hour == 1
            assert insights_client.get_view(name="projects/7/locations/us-central1/views/1")
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def insights_emulator_options():
            return {"profile": "immediate"}
    """)
    pytester.makepyfile("""
        def test_it(insights_clock):
            pass

        def test_operations_end_at_once(insights_client, insights_parent):
            made = insights_client.create_conversation(parent=insights_parent, conversation={})
            assert insights_client.create_analysis(parent=made.name, analysis={}).operation.done
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1, skipped=1)


def test_an_emulator_that_is_named_is_used(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile("""
        def test_it(insights_emulator, insights_client, insights_parent):
            insights_client.list_views(parent=insights_parent)
    """)
    with insights.start() as emulator:
        monkeypatch.setenv("CONTACTCENTERINSIGHTS_EMULATOR_HOST", emulator.address)
        pytester.runpytest_subprocess().assert_outcomes(passed=1)
        emulator.assert_called("ListViews", 1)


def test_no_emulator_is_started_for_tests_without_one(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTCENTERINSIGHTS_EMULATOR_BINARY", "/nonexistent")
    pytester.makepyfile("def test_it():\n    pass\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_rest_and_asyncio_have_clients_too() -> None:
    import asyncio

    parent = "projects/7/locations/us-central1"
    with insights.start() as emulator:
        made = emulator.client("rest").create_conversation(parent=parent, conversation={})

        async def read() -> object:
            return await emulator.async_client().get_conversation(name=made.name)

        assert asyncio.run(read()) == made
        with pytest.raises(ValueError, match="'grpc' or 'rest'"):
            emulator.client("http")
