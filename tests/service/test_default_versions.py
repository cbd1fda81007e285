"""Which version of an application references without one stand for, from workload files to what runs."""

from __future__ import annotations

import pytest

from pools import ApplicationPackageReference
from service.controller import Controller
from service.settings import Settings
from service.state import StateDirectory
from service.workload_file import load_workload

from .offers import offers

REFERENCE = ApplicationPackageReference(application_id="app")
#: (version, defaultVersion) of the entries of one file after the other, and what is meant then
CASES = [
    ([[("1", None), ("2", None)]], "2"),
    ([[("2", None), ("1", None)]], "1"),
    ([[("1", "2"), ("2", None)]], "2"),
    ([[("1", None), ("2", "1")]], "1"),
    ([[("b", "B"), ("C", None)]], "b"),
    ([[("1", "1"), ("2", "1")]], "1"),
    ([[("1", "1"), ("2", None)], [("1", "2"), ("2", None)]], "2"),
    ([[("1", "1"), ("2", None)], [("1", None), ("2", "2")]], "2"),
    ([[("1", "1"), ("2", None)], [("1", None), ("2", None)]], "2"),
    ([[("2", None)], [("1", None), ("2", None)]], "1"),
    ([[("1", None), ("2", None)], [("2", None), ("1", None)]], "2"),
]


@pytest.mark.parametrize(("files", "meant"), CASES)
def test_default_versions(tmp_path, files, meant):
    (tmp_path / "x").mkdir()
    controller = Controller(StateDirectory(tmp_path / "state"), Settings())
    try:
        for entries in files:
            lines = [
                f"- {{id: {'app' if version.islower() else 'APP'}, version: '{version}', source: x"
                + (f", defaultVersion: '{default}'}}" if default else "}")
                for version, default in entries
            ]
            path = tmp_path / "w.yaml"
            path.write_text("\n".join(["applications:", *lines]))
            (tmp_path / "x/file").write_text(f"content {len(lines)}")
            controller.apply(load_workload(path, Settings(), offers(("local.small",))))
        assert controller.core.executions.package(REFERENCE).version == meant
    finally:
        controller.close()
