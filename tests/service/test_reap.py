"""`ebbtide reap`: VMs that no record knows are ended; nothing else is."""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from providers import (
    InvalidRequestError,
    ProviderError,
    SimulatedProvider,
    SimulatedSettings,
    TransientError,
    VmSpec,
    VmState,
    marked_processes,
    open_provider,
)
from service.reaper import Reaper
from service.state import StateDirectory

from .stage import COMMAND, PATIENCE, SLOW

ID = "0123456789ab"
OTHER = "ba9876543210"


def spec(name, deployment=ID):
    return VmSpec(
        name=f"{deployment}-{name}", deployment=deployment, pool_id="p", node_id=name, size="local.small",
        image="local", low_priority=False, public_key="ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAI" + "H" * 43,
    )  # fmt: skip


# -- what is one -----------------------------------------------------------------------------------------------


class Lab:
    """A cloud in memory with VMs of given ages."""

    def __init__(self, *names):
        self.time = 1000.0
        self.cloud = SimulatedProvider("lab", ID, SimulatedSettings(boot_delay=0.0), lambda: self.time)
        for name in names:
            self.create(name)

    def create(self, name):
        size = self.cloud.sizes()[0].name
        self.cloud.create(VmSpec(**{**vars(spec(name)), "size": size, "image": self.cloud.images()[0].name}))

    def reaper(self, *known, grace=60.0, providers=None):
        names = [f"{ID}-{name}" for name in known]
        return Reaper(providers or {"lab": self.cloud}, lambda: names, grace, lambda: self.time)

    def names(self):
        return [vm.name.removeprefix(f"{ID}-") for vm in self.cloud.list_owned()]


def test_what_has_no_record_is_ended():
    lab = Lab("a", "b", "c")
    lab.time += 61
    reaper = lab.reaper("b")
    ended = reaper.end(reaper.find())
    assert [(each.vm.name[13:], each.done, each.age) for each in ended] == [("a", "ended", 61), ("c", "ended", 61)]
    assert lab.names() == ["b"]
    assert reaper.find() == []


def test_what_is_young_stays():
    lab = Lab("a")
    lab.time += 59
    lab.create("b")
    (a, b) = lab.reaper(grace=59.0).find()
    assert (a.done, b.done, b.note) == ("found", "kept", "younger than 59 s")
    lab.reaper().end([b])
    assert lab.names() == ["a", "b"]


def test_a_vm_that_gets_its_record_while_we_look_is_none():
    lab = Lab("a", "b")
    answers = iter([[], [f"{ID}-a"]])
    reaper = Reaper({"lab": lab.cloud}, lambda: next(answers), 0.0, lambda: lab.time)
    assert [orphan.vm.name for orphan in reaper.find()] == [f"{ID}-b"]


def test_what_is_over_and_what_runs_are_told_apart():
    lab = Lab("a", "b", "c")
    lab.time += 61
    lab.cloud.terminate(f"{ID}-a", "switched off")
    assert [each.vm.name[13:] for each in lab.reaper("b").find(over=True)] == ["a"]
    assert [each.vm.name[13:] for each in lab.reaper("b").find()] == ["a", "c"]


def test_of_what_is_over_that_stays_whose_age_nobody_tells():
    """On Azure the interface of a VM that a controller elsewhere is making looks like the rest of one that has gone."""
    lab = Lab("a")
    lab.cloud.terminate(f"{ID}-a", "what went with the VM is left")
    providers = {"azure": Mute([replace(vm, created=None) for vm in lab.cloud.list_owned()])}
    (kept,) = lab.reaper(providers=providers).find(over=True)
    assert (kept.done, kept.note) == ("kept", "its age is not known, it may be in the making")
    assert [each.done for each in lab.reaper(providers=providers).find()] == ["found"]


class Mute:
    """A cloud that lists, and ends nothing; or does not even list."""

    def __init__(self, vms):
        self.vms = vms

    def list_owned(self):
        if self.vms is None:
            raise TransientError("no answer")
        return self.vms

    def destroy(self, name, provider_id=None):
        raise InvalidRequestError(f"{provider_id} stays")


def test_what_does_not_go_is_told():
    lab = Lab("a")
    reaper = lab.reaper(grace=0.0, providers={"mute": Mute(lab.cloud.list_owned()), "dead": Mute(None)})
    (left,) = reaper.end(reaper.find())
    assert (left.provider, left.done, left.note) == ("mute", "failed", f"sim-{ID}-a stays")
    assert reaper.errors == {"dead": "no answer"}
    assert left.to_json()["done"] == "failed"


class Littered(SimulatedProvider):
    """A cloud that still has a key, which goes, and a group, which is in use."""

    def __init__(self):
        super().__init__("lab", ID, SimulatedSettings(), lambda: 1000.0)
        self.beside: list[str] | ProviderError = ["key k", "group g"]

    def sweep(self, dry=False):
        found = self.beside
        if isinstance(found, ProviderError):
            raise found
        if not dry:
            self.beside = ["group g"]
        return found


def test_what_is_left_beside_the_vms_is_told_and_removed_unless_dry():
    cloud = Littered()
    reaper = Lab().reaper(providers={"aws": cloud})
    assert [str(each) for each in reaper.sweep(dry=True)] == ["aws: would remove key k", "aws: would remove group g"]
    assert cloud.beside == ["key k", "group g"]
    assert [(each.what, each.done) for each in reaper.sweep(dry=False)] == [("key k", "removed"), ("group g", "in use")]


def test_a_provider_that_cannot_be_swept_is_told_and_one_that_did_not_answer_is_not_asked_again():
    cloud = Littered()
    cloud.beside = InvalidRequestError("not for you")
    reaper = Lab().reaper(providers={"aws": cloud, "dead": Mute(None)})
    assert reaper.find() == [] and reaper.sweep(dry=False) == []
    assert reaper.errors == {"aws": "not for you", "dead": "no answer"}


# -- the command -----------------------------------------------------------------------------------------------


@pytest.fixture
def base(tmp_path):
    """A state without records of its VMs, and a deployment of others on the same machine."""
    state = StateDirectory(tmp_path / "state")
    state.create(lambda: ID)
    opened = {each: open_provider("local", {"baseDir": str(state.nodes)}, each) for each in (ID, OTHER)}
    yield opened
    for provider in opened.values():
        for vm in provider.list_owned():
            provider.destroy(vm.name)


def reap(tmp_path, *words, state="state"):
    return subprocess.run(
        [*COMMAND, "reap", "--state", str(tmp_path / state), *words], capture_output=True, text=True, check=False,
        timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def names(provider):
    return [vm.name for vm in provider.list_owned()]


def test_a_lost_state_is_reaped_by_its_id_and_nobody_elses(base, tmp_path):
    for deployment, provider in base.items():
        provider.create(spec("x", deployment))
    config = tmp_path / "s.yaml"
    config.write_text("providers: {local: {baseDir: state/nodes}}\n")
    lost = ("--deployment", ID, "--config", str(config))
    unasked = reap(tmp_path, *lost, state="gone")
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    there = reap(tmp_path, *lost, "--yes")
    assert (there.returncode, "ends all of it" in there.stderr) == (2, True)
    dry = reap(tmp_path, *lost, "--dry-run", "--json", "--grace", "PT0S", state="gone")
    assert [vm["done"] for vm in json.loads(dry.stdout)["vms"]] == ["found"]
    assert json.loads(dry.stdout)["leftovers"] == []
    young = reap(tmp_path, *lost, "--yes", "--grace", "PT1H", state="gone")
    assert (young.returncode, "kept: younger than 3600 s" in young.stdout) == (0, True)
    assert names(base[ID]) == [f"{ID}-x"]
    done = reap(tmp_path, *lost, "--yes", "--json", "--grace", "PT0S", state="gone")
    assert done.returncode == 0, done.stderr
    assert [vm["done"] for vm in json.loads(done.stdout)["vms"]] == ["ended"]
    assert names(base[ID]) == []
    assert names(base[OTHER]) == [f"{OTHER}-x"]
    assert not (tmp_path / "gone").exists()


def test_only_what_is_over_is_reaped_by_the_clock(base, tmp_path):
    config = tmp_path / "s.yaml"
    config.write_text("providers: {local: {baseDir: state/nodes}}\n")
    words = ("--deployment", ID, "--over", "--yes", "--grace", "PT0S", "--config", str(config))
    for name in ("works", "off"):
        base[ID].create(spec(name))
    assert reap(tmp_path, *words, state="gone").stdout == "no VM is without a record\n"
    for process in marked_processes(ID):
        if process.vm_name == f"{ID}-off":
            os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    while {vm.name: vm.state for vm in base[ID].list_owned()}[f"{ID}-off"] is not VmState.TERMINATED:
        assert time.monotonic() < end, "waited for the VM to be over"
    done = reap(tmp_path, *words, "--json", state="gone")
    assert done.returncode == 0, done.stderr
    assert [(vm["name"], vm["done"]) for vm in json.loads(done.stdout)["vms"]] == [(f"{ID}-off", "ended")]
    assert names(base[ID]) == [f"{ID}-works"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--grace", "soon"], "--grace is no ISO 8601 duration: 'soon'"),
        (["--deployment", "all", "--yes"], "--deployment 'all' is no deployment's id"),
        (["--deployment", OTHER, "--yes"], "name a --config FILE"),
    ],
)
def test_bad_words(tmp_path, words, told, base):
    run = reap(tmp_path, *words)
    assert (run.returncode, told in run.stderr) == (2, True), run.stderr


def test_beside_a_controller_one_may_only_look(stage, tmp_path):
    stage.start(workload=SLOW % (tmp_path / "go"))
    stage.until_running()
    deployment = stage.state.joinpath("deployment").read_text().strip()
    stray = spec("stray", deployment)
    provider = open_provider("local", {"baseDir": str(stage.state / "nodes")}, deployment)
    refused = stage("reap")
    assert (refused.returncode, "another ebbtide" in refused.stderr) == (2, True)
    provider.create(stray)
    looked = stage("reap", "--dry-run", "--grace", "PT0S", "--json")
    assert [vm["name"] for vm in json.loads(looked.stdout)["vms"]] == [stray.name]
    stage.running[0].kill()
    stage.running[0].wait()
    ended = stage("reap", "--grace", "PT0S")
    assert ended.returncode == 0, ended.stderr
    assert stray.name in ended.stdout
    assert len(names(provider)) == 1  # the node with a record stays
    assert stage("reap", "--grace", "PT0S").stdout == "no VM is without a record\n"
