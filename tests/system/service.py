"""A running service with Redis and sandbox beside it, signed webhooks, and the contract that its answers are held against."""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import time
import uuid

import yaml  # Debian: python3-yaml

from relay import Redis, Relay, connection_of, remove, temp_folder
from sandbox import Sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY_BYTES = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY_BYTES).decode()


def signed(body, ident=None, when=None, key=KEY_BYTES, extra=()):
    """The headers of a Standard Webhooks message."""
    ident = ident or "msg_" + uuid.uuid4().hex
    when = str(int(time.time()) if when is None else when)
    mac = hmac.new(key, f"{ident}.{when}.".encode() + body, hashlib.sha256).digest()
    signatures = [*extra, "v1," + base64.b64encode(mac).decode()]
    return {"webhook-id": ident, "webhook-timestamp": when, "webhook-signature": " ".join(signatures)}


def event(source_id, kind="invoice.changed"):
    return json.dumps({"type": kind, "timestamp": "2026-11-22T10:00:00Z", "data": {"id": source_id}}).encode()


class Contract:
    """openapi.yaml: which answers a route may give, and their shape. Knows the keywords that our contract uses, no more."""

    KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "oneOf", "$ref",
                "description", "format", "pattern", "default", "minimum", "maximum", "maxLength", "maxItems"}
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}

    def __init__(self, text):
        self.doc = yaml.safe_load(text)
        self.seen = set()
        self.paths = [(re.compile("^" + re.sub(r"\{[^}]*\}", "[^/]+", p) + "$"), p) for p in
                      sorted(self.doc["paths"], key=lambda p: p.count("{"))]

    def find(self, path):
        path = path.split("?")[0]
        return next((p for pattern, p in self.paths if pattern.match(path)), None)

    def resolve(self, node):
        while "$ref" in node:
            target = self.doc
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, method, path, answer):
        """Fails when the answer is not in the contract; notes that it was seen."""
        template = self.find(path)
        kind = (answer.headers.get("Content-Type") or "").split(";")[0]
        if template is None or method.lower() not in self.doc["paths"][template]:
            assert answer.status == (404 if template is None else 405), (method, path, answer.status)
            self.check_shape(json.loads(answer.body), {"$ref": "#/components/schemas/Problem"}, "problem")
            return
        described = self.doc["paths"][template][method.lower()]["responses"]
        assert str(answer.status) in described, f"{method} {template}: {answer.status} is not in the contract: {answer.body[:300]}"
        self.seen.add((method, template, str(answer.status)))
        response = self.resolve(described[str(answer.status)])
        for name in response.get("headers", {}):
            if name != "Viesti-Durability":  # nothing was stored of an ignored webhook
                assert answer.headers.get(name), f"{method} {template} {answer.status}: no {name}"
        if "content" not in response:
            assert not answer.body
            return
        assert kind in response["content"], f"{method} {template} {answer.status}: {kind}"
        if kind.endswith("json"):
            self.check_shape(json.loads(answer.body), response["content"][kind]["schema"], f"{method} {template} {answer.status}")

    def check_shape(self, value, schema, where):
        assert set(schema) <= self.KEYWORDS, (where, set(schema) - self.KEYWORDS)
        if "$ref" in schema:
            self.check_shape(value, self.resolve(schema), where)
        if "oneOf" in schema:
            self.check_one_of(value, schema["oneOf"], where)
        self.check_type(value, schema, where)
        if value is None:
            return
        assert "enum" not in schema or value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
        assert "const" not in schema or value == schema["const"], f"{where}: {value!r}"
        if isinstance(value, str) and "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{where}: {value!r}"
        if isinstance(value, dict):
            self.check_members(value, schema, where)
        for i, item in enumerate(value if isinstance(value, list) and "items" in schema else []):
            self.check_shape(item, schema["items"], f"{where}/{i}")

    def check_one_of(self, value, schemas, where):
        failures = []
        for schema in schemas:
            try:
                self.check_shape(value, schema, where)
            except AssertionError as e:
                failures.append(str(e))
        assert len(failures) == len(schemas) - 1, f"{where}: fits {len(schemas) - len(failures)} of oneOf: {failures}"

    def check_type(self, value, schema, where):
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        fits = [k for k in kinds if (isinstance(value, int) and not isinstance(value, bool) if k == "integer"
                                     else isinstance(value, self.TYPES[k]))]
        assert fits or not kinds, f"{where}: {value!r} is no {kinds}"

    def check_members(self, value, schema, where):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        missing = set(schema.get("required", [])) - set(value)
        assert not missing, f"{where}: lacks {missing}"
        for name, member in value.items():
            if name in properties:
                self.check_shape(member, properties[name], f"{where}/{name}")
            else:
                assert others is not False, f"{where}: {name} is not in the contract"
                if isinstance(others, dict):
                    self.check_shape(member, others, f"{where}/{name}")


class Service:
    """Sandbox, Redis and one relay; every call is held against the contract."""

    def __init__(self, **settings):
        self.folder = temp_folder()
        self.sandbox = Sandbox()
        self.sandbox.start()
        self.redis = Redis(self.folder + "/redis")
        self.relay = Relay(self.folder + "/relay", self.redis.url, self.sandbox, **settings)
        self.contract = Contract((ROOT / "openapi.yaml").read_text(encoding="utf-8"))

    def stop(self):
        try:
            if self.relay.alive():
                assert self.relay.stop() == 0, self.relay.tail()
        finally:
            self.redis.stop()
            self.sandbox.stop()
            remove(self.folder)

    def call(self, method, path, body=None, headers=None, **more):
        answer = self.relay.call(method, path, body, headers, **more)
        self.contract.check(method, path, answer)
        return answer

    def setup(self, n=0):
        return self.sandbox.setup()[n]

    def connect(self, name, n=0, **settings):
        """Makes a connection with a webhook secret; not active yet."""
        body = connection_of(self.setup(n), name, **settings) | {"webhook_secrets": [SECRET]}
        answer = self.call("POST", "/v1/connections", body)
        assert answer.status == 201, answer.body
        return answer

    def activate(self, name):
        answer = self.call("POST", f"/v1/connections/{name}/activate")
        assert answer.status == 200, answer.body
        return answer

    def webhook(self, name, body, headers=None):
        """Raw bytes to the webhook; headers None: signed."""
        import http.client
        conn = http.client.HTTPConnection("127.0.0.1", self.relay.port, timeout=30)
        try:
            conn.request("POST", f"/v1/webhooks/{name}", body, signed(body) if headers is None else headers)
            got = conn.getresponse()
            answer = type("Answer", (), {"status": got.status, "headers": got.headers, "body": got.read()})()
        finally:
            conn.close()
        self.contract.check("POST", f"/v1/webhooks/{name}", answer)
        stored = answer.status == 202 and json.loads(answer.body)["result"] != "ignored"
        assert bool(answer.headers.get("Viesti-Durability")) == stored
        return answer

    def rss_kb(self):
        text = pathlib.Path(f"/proc/{self.relay.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))
