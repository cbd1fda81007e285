"""What is wanted again between the moment when it was found old and the moment when it is to go, stays."""

import os
import time
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from pools import Change
from runner import CHECKPOINTS, OutputStore, PackageStore, StoreError, open_journal, put_blob
from service import retention
from service.object_stores import open_store
from service.retention import Retention
from service.settings import Settings
from service.state import StateDirectory
from tests.runner.store.records import put, task

from .test_gc import file, job

DAY = 86400.0


@pytest.fixture
def state(tmp_path):
    state = StateDirectory(tmp_path / "state")
    state.create(lambda: "0" * 12)
    return state


@pytest.fixture
def journal(state):
    journal = open_journal(state.database_url)
    yield journal
    journal.close()


def keeper(state, journal, **more):
    settings = Settings()
    return Retention(state, settings, journal, open_store(state, settings.object_store), **more)


def fetch(offset, length, into):
    into.write(b"abc")


def source(tmp_path):
    path = tmp_path / "tool"
    path.mkdir()
    (path / "file").write_text("content")
    return path


@pytest.mark.parametrize("again", [False, True])
def test_a_package_that_comes_again_stays(state, journal, tmp_path, again):
    packages = PackageStore(state.packages)
    package = packages.add("a", "1", source(tmp_path), time.time())
    path = packages.path(package)
    os.utime(path, (time.time() - DAY,) * 2)
    keep, now = keeper(state, journal), time.time()
    waste = keep.find(now)
    assert [each.path for each in waste.packages] == [str(path)]
    if again:  # its record follows
        packages.add("a", "1", tmp_path / "tool", now)
    gone = keep.remove(waste, now)
    assert bool(gone.packages) is not again
    assert [each.name for each in state.packages.iterdir()] == ([path.name] if again else [])


def test_a_package_that_comes_in_the_very_moment_stays(state, journal, tmp_path, monkeypatch):
    packages = PackageStore(state.packages)
    path = packages.path(packages.add("a", "1", source(tmp_path), time.time()))
    os.utime(path, (time.time() - DAY,) * 2)
    keep, now = keeper(state, journal), time.time()
    waste, remove = keep.find(now), retention._remove_old

    def late(path, before):
        """Added when it has been looked at for the last time before, as far as others can tell."""
        real = os.stat(path).st_mtime < before
        assert real
        packages.add("a", "1", tmp_path / "tool", now)
        return remove(path, before)

    monkeypatch.setattr(retention, "_remove_old", late)
    assert keep.remove(waste, now).packages == ()
    assert path.read_bytes()


def test_adding_a_package_after_it_went_brings_it_back(state, journal, tmp_path):
    packages = PackageStore(state.packages)
    path = packages.path(packages.add("a", "1", source(tmp_path), time.time()))
    before = path.read_bytes()
    assert retention._remove_old(path, time.time() + 1.0)
    packages.add("a", "1", tmp_path / "tool", time.time())
    assert path.read_bytes() == before


def test_outputs_that_are_brought_in_again_stay(state, journal):
    stray = state.outputs / "u-1.stdout"
    file(stray)
    keep, now = keeper(state, journal), time.time()
    waste = keep.find(now)
    stray.write_bytes(b"new")
    assert keep.remove(waste, now).outputs == ()
    assert stray.read_bytes() == b"new"


@pytest.mark.parametrize("ours", [True, False])
def test_only_the_job_that_was_found_goes(state, journal, ours):
    journal.commit([put(job("old", ended=100.0)), put(task(job_id="old", id="t"))])
    asked = []

    @contextmanager
    def letting_go(found):
        asked.append((found.id, found.end_time))
        yield ours

    keep = keeper(state, journal, letting_go=letting_go)
    waste = keep.find(time.time())
    gone = keep.remove(waste, time.time())
    assert asked == [("old", journal.job("old").end_time)]
    assert [each.id for each in gone.jobs] == (["old"] if ours else [])
    assert len(journal.tasks("old")) == (0 if ours else 1)


def test_packages_are_looked_at_by_name_too(state, journal, tmp_path):
    """One that a record names is no waste, however old."""
    packages = PackageStore(state.packages)
    package = packages.add("a", "1", source(tmp_path), time.time())
    os.utime(packages.path(package), (time.time() - DAY,) * 2)
    journal.commit([put(package)])
    assert keeper(state, journal).find(time.time()).packages == ()


def test_what_is_about_to_be_recorded_stays_however_old_it_is(state, journal, tmp_path):
    """An outcome that waits for its commit, a package that was added before the first one."""
    outputs, packages = OutputStore(state.outputs), PackageStore(state.packages)
    output = outputs.keep("u-1", "stdout", 3, fetch)
    package = packages.add("a", "1", source(tmp_path), time.time())
    stray, unknown = state.outputs / "u-0.stdout", state.packages / "unknown.zip"
    file(stray)
    file(unknown)
    for path in (*state.outputs.iterdir(), *state.packages.iterdir()):
        os.utime(path, (time.time() - DAY,) * 2)
    keep = keeper(
        state, journal, awaits_record=lambda name: outputs.awaits_record(name) or packages.awaits_record(name)
    )
    gone = keep.remove(keep.find(time.time()), time.time())
    assert [each.path for each in gone.outputs + gone.packages] == [str(stray), str(unknown)]
    journal.commit([put(replace(output, owner="task", parent_id="j", id="t", attempt=1)), put(package)])
    outputs.settled(["u-1"])
    now = time.time()
    assert keep.find(now).outputs == keep.find(now).packages == ()
    journal.commit([Change("outputs", ("task", "j", "t", 1, "stdout"), None)])
    gone = keep.remove(keep.find(now), now)
    assert [each.path for each in gone.outputs] == [str(state.outputs / "u-1.stdout")]


def test_recorded_while_it_is_looked_for(state, journal, monkeypatch):
    """Just between the look at the files and the look at the records."""
    outputs = OutputStore(state.outputs)
    output = outputs.keep("u-1", "stdout", 3, fetch)
    os.utime(state.outputs / "u-1.stdout", (time.time() - DAY,) * 2)
    names = journal.output_files

    def late():
        journal.commit([put(replace(output, owner="task", parent_id="j", id="t", attempt=1))])
        outputs.settled(["u-1"])
        return names()

    monkeypatch.setattr(journal, "output_files", late)
    assert keeper(state, journal, awaits_record=outputs.awaits_record).find(time.time()).outputs == ()


@pytest.mark.parametrize("lists", [True, False])
def test_a_store_that_fails_keeps_nothing_else_back(state, journal, lists):
    """It cannot be listed, or cannot delete one of two checkpoints; a third has gone meanwhile."""
    journal.commit([put(job("old", ended=100.0)), put(task(job_id="old", id="t"))])
    file(state.outputs / "stray")
    settings = Settings()
    store = open_store(state, settings.object_store)
    for name in ("a", "b", "c"):
        put_blob(store, CHECKPOINTS, f"old/t/{name}.tar", [b"x"])
    for path in state.storage.rglob("*.tar"):
        os.utime(path, (time.time() - DAY,) * 2)
    delete = store.delete

    def refused(container, name="", **_):
        if name != "old/t/c.tar":
            raise StoreError("InternalError", "S3 refuses the keys of the object store")
        delete(container, name)

    setattr(store, "delete" if lists else "page", refused)
    keep = Retention(state, settings, journal, store)
    waste = keep.find(time.time())
    delete(CHECKPOINTS, "old/t/b.tar")
    gone = keep.remove(waste, time.time())
    assert ([each.id for each in gone.jobs], len(gone.outputs)) == (["old"], 1)
    assert [each.path for each in gone.checkpoints] == (["old/t/c.tar"] if lists else [])
    assert gone.store_error == "S3 refuses the keys of the object store"


def test_a_checkpoint_that_has_gone_is_no_failure(state, journal):
    settings = Settings()
    store = open_store(state, settings.object_store)
    put_blob(store, CHECKPOINTS, "old/t/a.tar", [b"x"])
    (path,) = state.storage.rglob("*.tar")
    os.utime(path, (time.time() - DAY,) * 2)
    keep = Retention(state, settings, journal, store)
    waste = keep.find(time.time())
    store.delete(CHECKPOINTS, "old/t/a.tar")
    gone = keep.remove(waste, time.time())
    assert (gone.checkpoints, gone.store_error) == ((), None)
