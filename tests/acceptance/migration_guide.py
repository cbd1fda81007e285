"""docs/from-azure-batch.md: the files that it shows, and its calls, which can be typed from top to bottom; and what
README.md and docs/api.md show beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).absolute().parents[2]
_TEXT = (_ROOT / "docs" / "from-azure-batch.md").read_text(encoding="utf-8")
#: The rows of a table with this head.
_CALLS = re.compile(r"^\| to \| `az batch` \| `client\.` \| `ebbtide` \|\n\|---\|---\|---\|---\|\n((?:\|.+\n)+)", re.M)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Call:
    """One thing to do. None: that client has no command for it."""

    to: str
    az: str | None
    sdk: str | None
    ebbtide: str | None


def calls() -> tuple[Call, ...]:
    rows = [row for table in _CALLS.findall(_TEXT) for row in table.splitlines()]
    return tuple(_call(row) for row in rows)


def _call(row: str) -> Call:
    to, *cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 3, row
    return Call(to, *(found[1] if (found := _CODE.fullmatch(cell)) else None for cell in cells))


def own_commands() -> tuple[str, ...]:
    """In place of those that go by Azure Resource Manager."""
    table = _TEXT.split("\n| in Azure | `ebbtide` |\n|---|---|\n")[1].split("\n\n")[0]
    cells = (row.strip("| ").rpartition(" | ")[2] for row in table.splitlines())
    return tuple(found[1] for cell in cells if (found := _CODE.match(cell)))


def files() -> dict[str, str]:
    """By name."""
    return dict(re.findall(r"^```\w+ (\S+)\n(.+?)^```", _TEXT, flags=re.M | re.S))


def programs() -> tuple[str, ...]:
    """In Python, in their order."""
    return tuple(re.findall(r"^```python\n(.+?)^```", _TEXT, flags=re.M | re.S))


def first_commands() -> tuple[str, ...]:
    """What README.md begins with, after `az batch`."""
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    return tuple(re.findall(r"^az batch (.+)$", text, flags=re.M))


def asked_of_the_socket() -> str:
    """The address in docs/api.md."""
    text = (_ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (address,) = re.findall(r"^curl --unix-socket .ebbtide/controller.sock '(\S+)'$", text, flags=re.M)
    return str(address)


def variables() -> tuple[set[str], set[str]]:
    """Of tasks: those that the guide tells to use, and those that it says are not set."""
    section = _TEXT.split("\n### Variables of tasks\n")[1].split("\n## ")[0]
    told, _, unset = section.partition("\nNot set are ")
    return set(re.findall(r"AZ_BATCH_\w+", told)), set(re.findall(r"AZ_BATCH_\w+", unset.split(". ")[0]))
