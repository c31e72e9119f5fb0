"""When a source is polled: by the connection's own interval, or at times of day by its own zone's clock (SV-01, "always by polling")."""

import datetime
import re
import time
import zoneinfo

import pytest

from service import Service, wait_for


@pytest.fixture(scope="module")
def service():
    with Service(seed="empty", poll_interval="1h", log_level="warn", severa_rate="1000", severa_burst="1000") as s:
        yield s


def tenant(service, **schedule):
    key = service.sandbox.tenants(count=1, invoices=0, customers=1, registered=True)[0]
    service.connect(key, key)
    if schedule:
        plan(service, key, schedule)
    service.activate(key)
    return key


def plan(service, key, schedule):
    assert service.call("PATCH", f"/v1/connections/{key}", {"schedule": schedule}, {"If-Match": "*"}).status == 200


def lists(service, key):
    """When Severa was asked for the invoices of a status."""
    client = service.setup(key)["severa"]["client_id"]
    found = service.sandbox.requests(system="severa", match="/invoices?", limit=2000)
    return [r["at"] for r in found if r["tenant"] == client]


def polls(service):
    text = service.call("GET", "/metrics").body.decode()
    return sum(int(n) for n in re.findall(r"^viesti_polls_total\{[^}]*\} (\d+)", text, re.M))


def due(service, key):
    """When the next poll is planned, in seconds since 1970."""
    return float(service.redis.cli("ZSCORE", "t:sched", key)) / 1000


def test_SV_01_a_connections_own_interval(service):
    often, default = tenant(service, interval_s=1), tenant(service)
    wait_for("the first poll of each", lambda: polls(service) >= 2 and lists(service, default))
    at_rest, began, before = len(lists(service, default)), time.monotonic(), polls(service)
    wait_for("four polls more", lambda: polls(service) >= before + 4, 20)
    assert time.monotonic() - began >= 2.9
    assert len(lists(service, default)) == at_rest
    assert 3600 - 30 < due(service, default) - time.time() < 3600 * 1.1


def test_SV_01_times_of_day_in_a_zone(service):
    """Planned by the zone's own clock, to the minute, and anew when the schedule or the zone changes."""
    key = tenant(service, times=["02:00", "14:30"], time_zone="Europe/Helsinki")
    wait_for("the first poll", lambda: lists(service, key))
    for zone, times in (("Europe/Helsinki", ["02:00", "14:30"]), ("America/New_York", ["06:15"]), ("UTC", ["00:00", "12:00", "23:59"])):
        plan(service, key, {"times": times, "time_zone": zone})
        expected = next_of(zone, times)
        wait_for(f"{times} in {zone}", lambda e=expected, z=zone, t=times: due(service, key) in (e, next_of(z, t)), 10)


def next_of(zone, times):
    """The next of the times, reckoned by Python's zone data."""
    tz = zoneinfo.ZoneInfo(zone)
    now = datetime.datetime.now(tz)
    at = [datetime.datetime.combine(now.date() + datetime.timedelta(days=d), datetime.time.fromisoformat(t), tz) for d in (0, 1) for t in times]
    return min(a.timestamp() for a in at if a > now)


def test_SV_01_a_paused_connection_is_not_polled(service):
    key = tenant(service, interval_s=1)
    wait_for("polls", lambda: len(lists(service, key)) > 1)
    assert service.call("POST", f"/v1/connections/{key}/pause").status == 200
    assert service.redis.cli("ZSCORE", "t:sched", key) == ""
    assert service.call("POST", f"/v1/connections/{key}/resume").status == 200
    before = len(lists(service, key))
    wait_for("polls again", lambda: len(lists(service, key)) > before)
