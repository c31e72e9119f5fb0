"""openapi.yaml as a judge of answers. Knows the keywords of JSON Schema that our contract uses, no more."""

import json
import re

import yaml  # Debian: python3-yaml


class Contract:
    """Which answers a route may give, and their shape."""

    KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "oneOf", "$ref",
                "description", "format", "pattern", "default", "minimum", "maximum", "maxLength", "maxItems"}
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
             "number": (int, float)}

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
        fits = [k for k in kinds if isinstance(value, self.TYPES.get(k, int)) and
                (k == "boolean" or not isinstance(value, bool))]
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
