from datetime import UTC, datetime

import pytest

from benchmarks import environment, programs
from zendesk_oauth.adapters.dynamodb_install_attributes import install_of
from zendesk_oauth.models.install import InstallStatus
from zendesk_oauth.settings import VARIABLES, WORKER_PREFIX, WORKER_VARIABLES


@pytest.mark.parametrize("function", sorted(VARIABLES))
def test_a_measured_function_is_given_its_own_variables(function: str) -> None:
    """The measured surroundings are those that the function declares, so nothing is measured that would not start."""
    given = environment.of_function(function)
    assert set(given) - {"AWS_ENDPOINT_URL"} == VARIABLES[function]


def test_a_measured_worker_is_given_all_that_a_worker_can_have() -> None:
    """The worker's own variables are those that the library reads, each by its name there."""
    assert set(environment.of_function("worker")) == {f"{WORKER_PREFIX}{name}" for name in WORKER_VARIABLES}


def test_nothing_is_taken_over_from_whoever_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the developer's own does not reach a measured process."""
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere")
    assert "AWS_CA_BUNDLE" not in environment.of_process("bare", "http://127.0.0.1:1")


def test_everything_goes_to_the_canned_endpoint() -> None:
    """Neither AWS nor Zendesk can be reached from a measured process."""
    given = environment.of_process("callback", "http://127.0.0.1:1")
    assert given["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert given["ZENDESK_BASE_URL"] == "http://127.0.0.1:1/{subdomain}"


@pytest.mark.parametrize("name", ["denied", "allowed"])
def test_the_row_that_is_given_back_is_the_events_own(name: str) -> None:
    """The canned row is one that our adapter reads, in its present form, and belongs to the event's state."""
    event = programs.EVENTS / "callback" / f"{name}.json"
    install = install_of(programs.install_row(event, "exchanging"))
    assert install.install_id in event.read_text(encoding="utf-8")
    assert install.status is InstallStatus.EXCHANGING
    assert not install.is_over(datetime.now(UTC))
