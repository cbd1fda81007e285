"""Packages come if their content is not there yet; references without a version never stand for another meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from .place import Place


@pytest.fixture
def folder(here: Place) -> Path:
    for name in ("one", "two"):
        (here.folder / name).mkdir(exist_ok=True)
        (here.folder / name / "run.sh").write_text(name)
    return here.folder


def apps(*versions: str, default: str | None = None, **sources: str) -> dict[str, Any]:
    entries = [{"id": "app@", "version": each, "source": sources.get(f"v{each}", "one")} for each in versions]
    if default is not None:
        entries[0]["defaultVersion"] = default
    return {"applications": entries}


PUT, PATCH = "PUT /applications/app@/versions/", "PATCH /applications/app@"
NEW, CHANGED = "+ application app@, version ", "~ application app@, version "

CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str], list[str], str]] = {
    "new": ([], apps("1"), [NEW + "1"], [PUT + "1"], "1"),
    "equal": ([apps("1")], apps("1"), ["1 unchanged"], [], "1"),
    "other content": (
        [apps("1", "2")],
        apps("1", "2", v1="two"),
        [CHANGED + "1", "    sha256", "1 unchanged"],
        [PUT + "1"],
        "2",
    ),
    "the newest is the default": ([apps("1")], apps("2"), [NEW + "2"], [PUT + "2"], "2"),
    "the default comes first": (
        [],
        apps("1", "2", "3", default="2"),
        [NEW + "2", NEW + "1", NEW + "3"],
        [PUT + "2?default=true", PUT + "1", PUT + "3"],
        "2",
    ),
    "another default": (
        [apps("1", "2")],
        apps("1", "2", default="1"),
        ["~ application app@", "    defaultVersion: 2 -> 1", "2 unchanged"],
        [PATCH],
        "1",
    ),
    "a default that only was the newest": (
        [apps("1")],
        apps("1", "2", default="1"),
        [NEW + "2", "1 unchanged"],
        [PATCH, PUT + "2"],
        "1",
    ),
    "a default that is not in the file": ([apps("1")], apps("2", default="1"), [NEW + "2"], [PATCH, PUT + "2"], "1"),
    "a default that the file does not name stays": (
        [apps("1", "2", default="1")],
        apps("1", "2"),
        ["2 unchanged"],
        [],
        "1",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_packages(here: Place, folder: Path, name: str) -> None:
    before, file, told, asked, default = CASES[name]
    for each in before:
        here.bring(each)
    found = here.bring(file)
    assert [
        line.partition(" (")[0].partition(": ")[0] if "defaultVersion" not in line else line for line in found.told
    ] == told
    assert sorted(found.asked) == sorted(asked)
    assert here.objects.one("applications", here.own("app@"))["defaultVersion"] == default
    assert here.bring(file).asked == []


def test_what_uses_a_version_that_is_there_already(here: Place, folder: Path) -> None:
    here.bring(apps("1"))
    pool = {"id": "p@", "vmSize": "local.small"}
    used = {"pools": [{**pool, "applicationPackageReferences": [{"applicationId": "APP@", "version": "1"}]}]}
    assert here.bring(used).told == ["+ pool p@"]
    assert here.bring({"pools": [pool]}).told[1] == (
        '    applicationPackageReferences: [{"applicationId": "APP@", "version": "1"}] -> nothing'
    )
