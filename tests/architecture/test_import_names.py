"""Five plain package names: another distribution with the same one would mix with ours, silently."""

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from .sources import PACKAGES


def test_the_packages_share_one_folder():
    files = [Path(str(importlib.import_module(package).__file__)) for package in PACKAGES]
    folders = {file.resolve().parents[1] for file in files}
    assert len(folders) == 1, f"the packages come from different places: {folders}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_claims_the_name(package):
    # An editable install of ours does not show up here; a wheel does.
    assert set(packages_distributions().get(package, [])) <= {"ebbtide"}
