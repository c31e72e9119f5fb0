"""OP-04: running it: logs and audit name the client behind a reverse proxy."""

import json

from service import Service, wait_for

SETTINGS = {"poll_interval": "1h", "log_level": "debug"}


def audited(service, action):
    return next(e for e in service.call("GET", "/v1/audit").json()["items"] if e["action"] == action)


def logged(service, request):
    """Client and status of a request's line, which is written once its last byte is out."""
    line = wait_for("the request's line", lambda: [e for e in service.relay.log_lines("http_request") if e["request"] == request], 5)[0]
    return line["client"], line["status"]


def test_OP_04_the_client_behind_a_trusted_proxy():
    """X-Forwarded-For is believed from a trusted peer only, and from its right end."""
    with Service(seed="demo", trusted_proxies="127.0.0.0/8,10.0.0.0/8", **SETTINGS) as service:
        service.call("POST", "/v1/connections", {"id": "one", "flow": "severa-netvisor"},
                     {"X-Forwarded-For": "1.1.1.1, 198.51.100.7, 10.0.0.3"})
        entry = audited(service, "connection.create")
        assert (entry["client"], entry["object"], entry["who"]) == ("198.51.100.7", "one", "admin")
        assert logged(service, entry["request"]) == ("198.51.100.7", 201)
        bad = service.call("GET", "/v1/connections/nobody", headers={"X-Forwarded-For": '1.1.1.1", "level": "error'})
        assert logged(service, bad.json()["request"]) == ("127.0.0.1", 404)


def test_OP_04_nobody_is_trusted_unasked():
    with Service(seed="demo", **SETTINGS) as service:
        service.call("POST", "/v1/connections", {"id": "one", "flow": "severa-netvisor"}, {"X-Forwarded-For": "198.51.100.7"})
        assert audited(service, "connection.create")["client"] == "127.0.0.1"


def test_OP_04_every_log_line_is_one_json_object():
    with Service(seed="demo", **SETTINGS) as service:
        service.connect("kajo")
        service.activate("kajo")
        service.call("POST", "/v1/connections/kajo/sync")
        assert service.relay.stop() == 0
        lines = (service.relay.folder / "log").read_text(encoding="utf-8").splitlines()
        parsed = [json.loads(line) for line in lines]
        assert all({"ts", "level", "event"} <= set(line) for line in parsed)
        assert [line["event"] for line in parsed if line["event"] in ("ready", "stopping", "stopped")] == ["ready", "stopping", "stopped"]
