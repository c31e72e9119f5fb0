"""OP-04: what /readyz says, each check with what to do; what stands badly is told to the log. (Settings of Redis and the vault:
test_loss.py.)"""

import pytest

from service import Service, connection_of, event, signed, wait_for


@pytest.fixture(scope="module")
def service():
    with Service(poll_interval="1h", log_level="info") as s:
        s.connect("good")
        s.activate("good")
        yield s


def checks(service):
    return {c["name"]: c for c in service.call("GET", "/readyz", token=None).json()["checks"]}


def check_until(service, name, ok):
    return wait_for(f"{name} to be {ok}", lambda: (c := checks(service)[name])["ok"] is ok and c, 5)


def test_OP_04_ready_lists_its_checks(service):
    answer = service.call("GET", "/readyz", token=None)
    assert answer.status == 200 and answer.json()["status"] == "ready"
    assert {n: (c["ok"], c["required"]) for n, c in checks(service).items()} == {
        "redis": (True, True), "redis_settings": (True, True), "serving": (True, True), "workers": (True, True),
        "polls": (True, False), "vault": (True, True), "connections": (True, False)}
    assert checks(service)["redis"]["detail"] == "fsync"


def test_OP_04_redis_away_is_told_once(service):
    service.redis.kill()
    down = check_until(service, "redis", False)
    assert "VIESTI_REDIS_URL" in down["detail"]
    wait_for("a line about it", lambda: service.relay.log_lines("redis_away"), 5)
    service.redis.start()
    check_until(service, "redis", True)
    wait_for("a line about its return", lambda: service.relay.log_lines("redis_back"), 5)
    assert [line["level"] for line in service.relay.log_lines("redis_away")] == ["warn"]


@pytest.mark.parametrize("field,value,why", [("doc", '{"flow":', "not JSON"), ("sec", "garbage", "not a sealed record")])
def test_OP_04_an_unreadable_connection_says_so_and_is_replaced(service, field, value, why):
    name = "bad-" + field
    service.connect(name, 1)
    service.activate(name)
    service.redis.cli("HSET", f"t:conn:{name}", field, value)
    service.redis.cli("INCR", "t:conns:ver")
    bad = check_until(service, "connections", False)
    assert f"connection {name}" in bad["detail"] and why in bad["detail"] and "PUT" in bad["detail"]
    assert service.call("GET", "/readyz").json()["status"] == "ready"
    body = event("00000000-0000-4000-8000-000000000002")
    assert service.webhook("good", body).status == 202
    refused = service.webhook(name, body)
    assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0
    seen = service.call("GET", f"/v1/connections/{name}")
    assert seen.json()["state"] != "active" and why in seen.json()["unreadable"]
    assert {c["id"]: bool(c["unreadable"]) for c in service.call("GET", "/v1/connections").json()["items"]}[name]
    etag = {"If-Match": seen.headers["ETag"]}
    assert service.call("PATCH", f"/v1/connections/{name}", {"name": "x"}, etag).status == 409
    whole = {k: v for k, v in connection_of(service.setup(1), name).items()}
    mended = service.call("PUT", f"/v1/connections/{name}", whole | {"webhook_secrets": ["whsec_" + "MDEy" * 8]}, etag)
    assert mended.status == 200 and mended.json()["unreadable"] is None, mended.body
    check_until(service, "connections", True)
    again = service.call("POST", f"/v1/connections/{name}/activate")
    assert again.status == 200 and again.json()["state"] == "active", again.body
    assert service.call("POST", f"/v1/connections/{name}/pause").status == 200  # the next one is of the same company


def test_OP_04_another_key_is_refused_at_the_start(service):
    with pytest.raises(AssertionError, match="sealed under another key"):
        service.add_relay(key="22" * 32)
