from typing import Iterator

import pytest
from contact_center_insights_emulator import Admin, connect
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy


@pytest.fixture(scope="session")
def emulator() -> Iterator[Admin]:
    container = DockerContainer("contact-center-insights-emulator:0.1.0").with_exposed_ports(9420)
    with container.waiting_for(LogMessageWaitStrategy('"ready":true')) as started:
        yield connect(f"{started.get_container_host_ip()}:{started.get_exposed_port(9420)}")


def test_a_conversation_is_kept(emulator: Admin) -> None:
    client = connect(emulator.address).client()
    made = client.create_conversation(parent="projects/p/locations/us-central1", conversation={})
    assert client.get_conversation(name=made.name) == made
    emulator.assert_called("CreateConversation", 1)
