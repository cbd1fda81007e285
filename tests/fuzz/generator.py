"""Bodies from the schemas of the description: right ones, and such that somebody has spoilt."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from ..service.openapi.described import resolved
from . import vocabulary
from .examples import RIGHT

#: Objects within one another at most.
_DEEPEST = 7
_UNKNOWN = ("surprise", "Id", "ID", "odata.metadata", "__proto__", "é", "", "x" * 300)


class Generator:
    def __init__(self, random: Random) -> None:
        self._random = random
        #: ids of nodes that are there
        self.nodes: tuple[str, ...] = ()

    def body(self, schema: dict[str, Any]) -> bytes:
        """Mostly a right one."""
        if self._random.random() < 0.55:
            return json.dumps(self.right(schema)).encode()
        dice = self._random.random()
        if dice < 0.03:
            return self._no_json()
        value = self.value(schema)
        if dice < 0.35:
            value = self._spoilt(value)
        encoded = json.dumps(value, ensure_ascii=dice < 0.6)
        data = encoded.encode("utf-8", "surrogatepass")
        if dice > 0.98:
            return self._cut(data)
        return data

    def right(self, schema: dict[str, Any]) -> Any:
        """As a client means it, which knows what it does."""
        schema = resolved(schema)
        known = RIGHT.get(schema.get("title", ""))
        if known is not None and schema["title"].endswith("changed"):
            chosen = self._random.choices(sorted(known), k=2)
            return {name: self._random.choice(known[name]) for name in chosen}
        if known is not None:
            chosen = [name for name in known if name in schema.get("required", ()) or self._random.random() < 0.35]
            return {name: self._random.choice(known[name]) for name in chosen}
        if schema.get("title") == "Collection":
            task, count = schema["properties"]["value"]["items"], self._random.randrange(1, 5)
            return {"value": [self.right(task) for _ in range(count)]}
        return self.value(schema)

    def value(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        schema = resolved(schema)
        if "enum" in schema:
            chosen = self._random.choice(schema["enum"])
            return chosen.upper() if self._random.random() < 0.05 else chosen
        if "anyOf" in schema:
            return self.value(self._random.choice(schema["anyOf"]), name, depth)
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                count = self._random.choice((0, 1, 1, 2, 3)) if depth < _DEEPEST else 0
                return [self.value(schema["items"], name, depth + 1) for _ in range(count)]
            case "string":
                return self._text(schema, name)
            case "integer" | "number":
                # few of the large ones, so that whole bodies are taken as well
                number = self._random.choice(vocabulary.NUMBERS if self._random.random() < 0.1 else (0, 1, 1, 2, 3))
                return str(number) if self._random.random() < 0.1 else number
            case "boolean":
                return "true" if self._random.random() < 0.05 else self._random.random() < 0.5
        return self._anything()

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        if schema.get("additionalProperties"):
            return {self.text(): self.value(schema["additionalProperties"], "", depth + 1) for _ in range(2)}
        likely = 0.4 if depth == 0 else 0.3 if depth < _DEEPEST else 0.0
        found: dict[str, Any] = {}
        for name, each in properties.items():
            odd = "x-ebbtide-status" in each or each.get("readOnly") or each.get("deprecated")
            if name in required or self._random.random() < (0.01 if odd else likely):
                found[name] = self.value(each, name, depth + 1)
        return found

    def _text(self, schema: dict[str, Any], name: str) -> str:
        formats = {"duration": vocabulary.DURATIONS, "date-time": vocabulary.TIMES}
        if name == "nodeList" and self.nodes and self._random.random() < 0.8:
            return self._random.choice(self.nodes)
        known = formats.get(schema.get("format", "")) or vocabulary.TEXTS.get(name)
        if known is not None:
            # what is right stands first
            return self._random.choice(known[:5] if self._random.random() < 0.8 else known)
        if name == "id":
            return self.identifier()
        return self.text()

    def identifier(self) -> str:
        return self._random.choice(("p1", "P1", "p-2", "p_3", "j1", "J1", "j-2", "s1", "S1", "s-2", "t1", "t-2", "3"))

    def text(self) -> str:
        dice = self._random.random()
        if dice < 0.6:
            return self._random.choice(("a", "A", "b_c", "1", "x y", "name", "provider"))
        if dice < 0.8:
            return self._random.choice(vocabulary.HOSTILE)
        return "".join(chr(self._random.choice((0x41, 0x7A, 0x20, 0xE9, 0x4E2D, 0x1F41A))) for _ in range(5))

    def _anything(self, depth: int = 0) -> Any:
        kind = self._random.randrange(7 if depth < 3 else 5)
        match kind:
            case 0:
                return None
            case 1:
                return self._random.choice((True, False))
            case 2:
                return self._random.choice(vocabulary.NUMBERS)
            case 3 | 4:
                return self._random.choice(vocabulary.HOSTILE)
            case 5:
                return [self._anything(depth + 1) for _ in range(self._random.randrange(3))]
        return {self.text(): self._anything(depth + 1) for _ in range(self._random.randrange(3))}

    def _spoilt(self, value: Any) -> Any:
        """With something else somewhere in it. What would run there stays: any text might be a command."""
        if isinstance(value, dict) and value and self._random.random() < 0.85:
            name = self._random.choice(list(value))
            dice = self._random.random()
            if dice < 0.1:
                return {**value, self._random.choice(_UNKNOWN): self._anything()}
            if dice < 0.2:
                return {each: inner for each, inner in value.items() if each != name}
            if name in ("commandLine", "coordinationCommandLine"):
                return {**value, name: self._random.choice((None, 1, [], {}, "\0", "", True))}
            return {**value, name: self._spoilt(value[name])}
        if isinstance(value, list) and value and self._random.random() < 0.7:
            place = self._random.randrange(len(value))
            return [self._spoilt(each) if index == place else each for index, each in enumerate(value)]
        if isinstance(value, list) and self._random.random() < 0.1:
            return value * 200
        return "\ud800" if self._random.random() < 0.03 else self._anything()

    def _no_json(self) -> bytes:
        return self._random.choice(
            (
                *(b"", b" ", b"null", b"[]", b"1", b'"x"', b"{", b"}", b'{"id":}', b"\0", b"id: a\n", b"{'id': 'a'}"),
                *(b"[" * 100_000, b'{"a":' * 5000, b'{"id":"\xff"}', b'{"id":"a","id":"b"}'),
                *(b"\xff\xfe{}", b"\xef\xbb\xbf{}"),
                *(b'{"id": NaN}', b'{"id": 1e400}', b'{"id":' + b"9" * 5000 + b"}", b'{"id":"\\ud800"}', b"{}" * 2),
                b'{"x":"' + b"y" * 70_000 + b'"}',
            )
        )

    def _cut(self, data: bytes) -> bytes:
        place = self._random.randrange(len(data) + 1)
        return data[:place] + (b"" if self._random.random() < 0.5 else b"\x00" + data[place:])
