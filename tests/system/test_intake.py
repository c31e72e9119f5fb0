"""Webhooks: what is taken, what is refused and why. Raw bytes and crowds: test_hostile.py."""

import json
import time
import uuid

import pytest

from service import KEY_BYTES, Service, event, signed, wait_for

NAME = "kajo"


@pytest.fixture(scope="module")
def active(service):
    service.connect(NAME)
    service.activate(NAME)
    return service


def code(answer):
    return answer.status, json.loads(answer.body)["code"]


def ident():
    return str(uuid.uuid4())


def test_signed_webhook_is_taken(active):
    body = event(ident())
    answer = active.webhook(NAME, body)
    assert answer.status == 202 and answer.headers["Viesti-Durability"] == "fsync"
    assert json.loads(answer.body)["result"] == "queued"
    transfer = json.loads(answer.body)["transfer"]
    assert active.call("GET", f"/v1/transfers/{transfer}").json()["origin"] == "webhook"


def test_replay_changes_nothing(active):
    body = event(ident())
    headers = signed(body)
    first = json.loads(active.webhook(NAME, body, headers).body)
    assert first["result"] == "queued"
    again = active.webhook(NAME, body, headers)
    assert again.status == 202 and json.loads(again.body)["result"] == "replay"


def test_unsigned_late_and_forged(active):
    body, now = event(ident()), int(time.time())
    good = signed(body)
    for name in good:
        assert code(active.webhook(NAME, body, {k: v for k, v in good.items() if k != name})) == (401, "unsigned")
    assert code(active.webhook(NAME, body, {})) == (401, "unsigned")
    assert code(active.webhook(NAME, body, signed(body, when=now - 400))) == (401, "timestamp_late")
    assert code(active.webhook(NAME, body, signed(body, when=now + 400))) == (401, "timestamp_late")
    assert code(active.webhook(NAME, body, signed(body, when="soon"))) == (401, "unsigned")
    assert code(active.webhook(NAME, body, signed(body, key=b"x" * 32))) == (401, "signature_invalid")
    assert code(active.webhook(NAME, body + b" ", good)) == (401, "signature_invalid")
    assert active.webhook(NAME, body, signed(body, extra=["v1,AAAA", "v1a,AAAA", "v9,x"])).status == 202


def test_malformed_bodies(active):
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"type":"invoice.changed","data":{"id":"\xff"}}', b"{" * 5000,
                 b'{"type":7,"data":{"id":"x"}}', b'{"type":"invoice.changed"}', b'{"type":"invoice.changed","data":[]}',
                 b'{"type":"invoice.changed","data":{"id":{}}}', b'{"type":"a","type":"b","data":{"id":"1"}}',
                 b'{"type":"invoice.changed","data":{"id":"not-a-guid"}}'):
        answer = active.webhook(NAME, body, signed(body))
        assert answer.status in (400, 413, 422), (body[:40], answer.status, answer.body)


def test_unknown_ids_and_types(active):
    body = event(ident())
    assert code(active.webhook("nobody", body)) == (404, "not_found")
    answer = active.webhook(NAME, event(ident(), "weather.changed"))
    assert answer.status == 202 and json.loads(answer.body)["result"] == "ignored"
    active.connect("draft", 1)
    assert code(active.webhook("draft", body)) == (409, "connection_not_active")


def test_redis_away_is_never_a_yes(active):
    body = event(ident())
    headers = signed(body)
    active.redis.kill()
    answer = active.webhook(NAME, body, headers)
    assert code(answer) == (503, "unavailable") and int(answer.headers["Retry-After"]) > 0
    assert active.call("GET", "/healthz").status == 200
    assert active.call("GET", "/readyz").status == 503
    assert active.call("GET", "/v1/transfers").status == 503
    assert b"viesti_redis_up 0" in active.call("GET", "/metrics").body
    active.redis.start()
    began = time.monotonic()
    again = wait_for("a taken webhook", lambda: (a := active.webhook(NAME, body, signed(body, headers["webhook-id"]))).status == 202 and a, 20)
    assert time.monotonic() - began < 5
    transfer = json.loads(again.body)["transfer"]
    assert active.call("GET", f"/v1/transfers/{transfer}").status == 200


def test_second_secret_and_rotation(active):
    """Two live secrets: both sign; after the change the old one does not."""
    import base64
    new = b"fedcba9876543210fedcba9876543210"
    secrets = ["whsec_" + base64.b64encode(k).decode() for k in (new, KEY_BYTES)]
    path = f"/v1/connections/{NAME}"
    assert active.call("PATCH", path, {"webhook_secrets": secrets}, {"If-Match": "*"}).status == 200
    for key in (new, KEY_BYTES):
        body = event(ident())
        assert active.webhook(NAME, body, signed(body, key=key)).status == 202
    assert active.call("PATCH", path, {"webhook_secrets": secrets[:1]}, {"If-Match": "*"}).status == 200
    body = event(ident())
    assert code(active.webhook(NAME, body, signed(body))) == (401, "signature_invalid")
    assert active.webhook(NAME, body, signed(body, key=new)).status == 202


def test_durability_is_what_redis_does_now():
    """The header follows the settings of a running Redis, and those of one that was started again."""
    with Service(seed="demo", log_level="warn") as service:
        service.connect(NAME)
        service.activate(NAME)

        def said():
            answer = service.webhook(NAME, event(ident()))
            return answer.headers.get("Viesti-Durability") if answer.status == 202 else answer.status

        wait_for("fsync", lambda: said() == "fsync", 5, 0.1)
        assert service.redis.cli("CONFIG", "SET", "appendfsync", "everysec") == "OK"
        wait_for("everysec", lambda: said() == "everysec", 15, 0.2)
        service.redis.kill()
        service.redis.args = ("--appendfsync", "no")
        service.redis.start()
        heard = []
        wait_for("memory", lambda: heard.append(said()) or heard[-1] == "memory", 15, 0.05)
        assert set(heard) <= {"memory", 503}, heard  # from the first answer on: never more than is known
