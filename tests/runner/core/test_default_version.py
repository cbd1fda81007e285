"""Which version of an application a reference without a version stands for."""

from msgspec.structs import replace

from pools import ApplicationPackageReference
from runner import AddApplication, ApplicationPackage

from .run import ask, job, simulation, task

TOOL = (ApplicationPackageReference(application_id="tool"),)


def package(version: str, created: float) -> ApplicationPackage:
    return ApplicationPackage(application_id="tool", version=version, sha256="0" * 64, size=1, created=created)


def test_the_default_version_or_the_latest():
    sim = simulation(target_dedicated_nodes=1)
    old, new = package("1", 1.0), package("2", 2.0)
    core = sim.core

    def meant():
        return core.executions._packages(TOOL)[0].version

    for each in (old, new):
        assert ask(sim, AddApplication(each)) is None
    assert meant() == "2"
    assert ask(sim, AddApplication(replace(old, default=True))) is None
    assert meant() == "1"
    assert ask(sim, AddApplication(replace(new, default=True))) is None
    assert meant() == "2" and not core.applications[("tool", "1")].default
    assert ask(sim, job("j", task("t", application_package_references=TOOL))) is None
