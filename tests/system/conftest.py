"""Fixtures: one service per test module, since a start costs more than a test."""

import pytest

from service import Service


@pytest.fixture(scope="module")
def service():
    with Service(poll_interval="1h", http_timeout="2s", retry_first="100ms", max_body="64k") as s:
        yield s
