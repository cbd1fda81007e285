"""The table of properties knows every property that the official clients can send, and the document holds the table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from pools.pool_checks import UPDATABLE
from runner.job_requests import CHANGEABLE as OF_JOBS
from runner.schedule_checks import CHANGEABLE as OF_SCHEDULES
from service.property_table import BODIES, Status, as_markdown, changes, objects, rows

HERE = Path(__file__).parent
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/properties.md"


def sdk_properties() -> dict[str, set[str]]:
    """By object of the table: what the models of azure-batch 14.2.0 and 15.1.0 can hold."""
    text = (HERE / "sdk_properties.txt").read_text(encoding="utf-8").replace("\n  ", " ")
    return {name: set(rest.split()) for name, _, rest in (line.partition(": ") for line in text.splitlines())}


@pytest.mark.parametrize(("name", "properties"), sdk_properties().items())
def test_whatever_clients_can_send_is_known(name: str, properties: set[str]) -> None:
    assert properties - {row.name for row in rows(objects()[name])} == set()


def test_every_object_is_one_of_theirs() -> None:
    ours = {"Collection of tasks", "Task, changed"}
    assert set(objects()) - set(sdk_properties()) == ours


def test_no_property_stands_there_twice() -> None:
    for kind in objects().values():
        names = [row.name for row in rows(kind)]
        assert sorted(set(names)) == sorted(names)


def test_what_is_not_implemented_says_why() -> None:
    for kind in objects().values():
        for row in rows(kind):
            assert bool(row.text) or row.status in (Status.IMPLEMENTED, Status.ANSWERED), row.name


def test_the_document_holds_the_table() -> None:
    assert as_markdown() in DOCUMENT.read_text(encoding="utf-8"), "`make docs` writes it anew"


@pytest.mark.parametrize(
    ("what", "title", "attributes"),
    [("pool", "Pool", UPDATABLE), ("job", "Job", OF_JOBS), ("job schedule", "Job schedule", OF_SCHEDULES)],
)
def test_what_may_change_is_what_the_core_lets_change(what: str, title: str, attributes: Iterable[str]) -> None:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(dict(BODIES)[title])}
    assert sorted(name for kind, name, _ in changes() if kind == what) == sorted(names[each] for each in attributes)
