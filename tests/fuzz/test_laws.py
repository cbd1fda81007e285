"""What holds for whatever somebody writes into filters, headers, paths and bodies: it is read, or refused in words."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api import bodies, filters
from service.api.call import base_url
from service.api.conditions import conditions
from service.api.errors import ApiError
from service.api.filters import All, Comparison, Either, Filter, Not, StartsWith
from service.api.operations import OPERATIONS
from service.api.own_operations import OWN_OPERATIONS
from service.api.properties import FILTERS
from service.api.routing import Router
from service.property_table import BODIES

from .vocabulary import DATES, ETAGS, HOSTILE

LAW = settings(max_examples=80, deadline=None)
NAMES = FILTERS["task"]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
#: Words that filters are made of, in any order.
WORDS = st.sampled_from(
    (*NAMES[:8], "eq", "ne", "gt", "and", "or", "not", "(", ")", "'a'", "'", "1", "-1.5", "true", "null",
     "startswith(id,'a')",      "datetime'2026-01-01'", "datetime'x'", "2026-01-31T12:00:00Z", ",", "/", "é")
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def asked(filter: Filter) -> str:
    """As a client writes it."""
    match filter:
        case Comparison(path, operator, value):
            text = "null" if value is None else json.dumps(value) if not isinstance(value, str) else _quoted(value)
            return f"{path} {operator} {text}"
        case StartsWith(path, prefix):
            return f"startswith({path},{_quoted(prefix)})"
        case Not(inner):
            return f"not ({asked(inner)})"
        case All(parts):
            return " and ".join(f"({asked(each)})" for each in parts)
        case Either(parts):
            return " or ".join(f"({asked(each)})" for each in parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


PLAIN = st.sampled_from(("id", "displayName", "commandLine"))
SIMPLE = st.one_of(
    st.builds(Comparison, PLAIN, st.sampled_from(("eq", "ne", "gt", "ge", "lt", "le")), st.text(max_size=8)),
    st.builds(Comparison, st.just("requiredSlots"), st.sampled_from(("eq", "le")), st.integers(-99, 99)),
    st.builds(Comparison, PLAIN, st.sampled_from(("eq", "ne")), st.none()),
    st.builds(StartsWith, PLAIN, st.text(max_size=8)),
)
FILTER = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.tuples(inner, inner)),
        st.builds(Either, st.tuples(inner, inner)),
    ),
    max_leaves=6,
)
VIEWS = st.fixed_dictionaries(
    {"id": st.text(max_size=4)},
    optional={"displayName": st.text(max_size=4), "requiredSlots": st.integers(-2, 2), "commandLine": JSON},
)


@LAW
@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60), VIEWS)
def test_a_filter_is_read_or_refused(text: str, view: dict[str, Any]):
    try:
        found = filters.parse(text, NAMES)
    except ApiError as error:
        assert error.status == 400
    else:
        assert filters.predicate(found)(view) in (True, False)


@LAW
@given(FILTER)
def test_a_filter_means_what_was_written(filter: Filter):
    assert filters.parse(asked(filter), NAMES) == filter


@LAW
@given(FILTER, VIEWS)
def test_every_object_fulfils_a_filter_or_its_opposite(filter: Filter, view: dict[str, Any]):
    assert filters.predicate(filter)(view) is not filters.predicate(Not(filter))(view)


@LAW
@given(
    st.dictionaries(
        st.sampled_from(("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")),
        st.one_of(st.sampled_from((*ETAGS, *DATES)), st.text(max_size=40)),
    )
)
def test_conditions_are_read_or_refused(headers: dict[str, str]):
    try:
        found = conditions(headers)
        if found is not None:
            found.check("0x1", 1_767_225_600.0, reads=True)
    except ApiError as error:
        assert error.status in (304, 400, 412)


@LAW
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=10))
def test_addresses_in_answers_are_addresses(host: str, forwarded: str, scheme: str):
    headers = {"host": host, "x-forwarded-host": forwarded, "x-forwarded-proto": scheme}
    found = base_url("http", headers, ("h", 1))
    kind, _, rest = found.partition("://")
    assert kind in ("http", "https") and rest and not set(rest) & set(' /\\"<>?#@\r\n')


ROUTER = Router()


@LAW
@given(st.sampled_from((*OPERATIONS, *OWN_OPERATIONS)), st.data())
def test_every_id_finds_its_way(operation: Any, data: st.DataObject):
    names = [each[1:-1] for each in operation.path.split("/") if each.startswith("{")]
    ids = {name: data.draw(TEXTS.filter(bool).filter(_is_utf8), label=name) for name in names}
    path = operation.path.replace("({certificate})", "(thumbprint=0)")
    for name, each in ids.items():
        path = path.replace("{" + name + "}", quote(each, safe=""))
    found = ROUTER.find(operation.method, path)
    assert found is not None and found.operation == operation and dict(found.ids) == ids


def _is_utf8(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


@LAW
@given(st.sampled_from(("GET", "POST", "X")), st.text(alphabet="/%aé.pools\0jobs0f", max_size=30))
def test_any_path_leads_somewhere_or_nowhere(method: str, path: str):
    try:
        ROUTER.find(method, path)
    except ValueError:
        pass  # that is not UTF-8


@pytest.mark.parametrize(("title", "kind"), BODIES)
def test_a_body_is_read_or_refused(title: str, kind: type[msgspec.Struct]):
    fields = st.sampled_from([each.encode_name for each in msgspec.structs.fields(kind)]) | TEXTS

    @settings(max_examples=25, deadline=None)
    @given(st.dictionaries(fields, JSON, max_size=6) | JSON)
    def law(body: Any) -> None:
        data = json.dumps(body).encode("utf-8", "surrogatepass")
        try:
            assert isinstance(bodies.read(data, kind), kind)
        except ApiError as error:
            assert error.status == 400 and error.message

    law()


@LAW
@given(st.binary(max_size=60), st.sampled_from(BODIES))
def test_any_bytes_are_read_or_refused(data: bytes, body: tuple[str, type[msgspec.Struct]]):
    try:
        bodies.read(data, body[1])
    except ApiError as error:
        assert error.status == 400
