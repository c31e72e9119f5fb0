"""Fixtures: one service per test module, since a start costs more than a test."""

import pytest

from sandbox import NetvisorClient, Sandbox, SeveraClient
from service import Service


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file tell one story of one service: with -n, each file stays with one worker, whatever --dist says."""
    from xdist.scheduler import LoadFileScheduling
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="module")
def service():
    with Service(poll_interval="1h", http_timeout="2s", retry_first="100ms", max_body="64k") as s:
        yield s


@pytest.fixture(scope="module")
def shared_sandbox():
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    assert sandbox.stop() == 0, "a sanitizer or leak checker found something"


@pytest.fixture
def sb(shared_sandbox):
    """A sandbox as at its start; the process is the module's."""
    shared_sandbox.reset()
    shared_sandbox.clear_faults()
    return shared_sandbox


@pytest.fixture
def severa(sb):
    return SeveraClient(sb.setup("kajo")["severa"])


@pytest.fixture
def netvisor(sb):
    return NetvisorClient(sb.setup("kajo")["netvisor"])
