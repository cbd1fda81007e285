"""The directory behind the local object store."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import LocalStore, StoreError, put_blob
from runner.blob_paths import path_of, walk
from runner.storage_urls import invalid_name

ODD = st.text(
    alphabet=st.one_of(st.sampled_from("ab/.%-\n é🙂\x01"), st.characters(codec="utf-8", exclude_characters="\0")),
    min_size=1,
    max_size=30,
)
LONG = st.builds(
    lambda head, middle, tail: (head * middle + tail).encode()[:1024].decode("utf-8", "ignore"),
    st.sampled_from(["x", "é", ".", "a/", "%", "\n", "🙂", "xé"]),
    st.integers(60, 520),
    ODD,
)
NAMES = st.one_of(ODD, LONG).filter(lambda name: invalid_name(name) is None)


@given(NAMES)
def test_every_path_stays_below_and_fits(name: str) -> None:
    path = path_of(name)
    parts = path.split("/")
    assert not path.startswith("/") and len(path) < 3500
    assert all(part and not part.startswith(".") and len(part.encode()) <= 255 for part in parts)
    assert path.isascii() and path.isprintable()


@given(st.sets(NAMES, max_size=12), ODD, st.integers(1, 5))
def test_listing_is_what_is_there_in_order(names: set[str], prefix: str, limit: int) -> None:
    with tempfile.TemporaryDirectory() as top:
        store = LocalStore(Path(top))
        for name in names:
            put_blob(store, "box", name, [b""])
        assert [name for name, _ in walk(Path(top) / "box", "", "")] == sorted(names)
        for start in ("", prefix, *(name[: len(name) // 2] for name in names)):
            wanted = sorted(name for name in names if name.startswith(start))
            found: list[str] = []
            after: str | None = ""
            while after is not None:
                page = store.page("box", start, after, limit)
                found += [blob.name for blob in page.blobs]
                after = page.after
            assert found == wanted


@given(NAMES, NAMES)
def test_two_names_never_share_a_place(one: str, other: str) -> None:
    if one != other:
        first, second = path_of(one), path_of(other)
        assert first != second
        assert not second.startswith(first + "/") and not first.startswith(second + "/")


def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    put_blob(store, "box", "a", [b"old"])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 3:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="full") as caught:
        put_blob(store, "box", "a", [b"new content"])
    assert caught.value.code == "OutOfSpace"
    monkeypatch.undo()
    assert b"".join(store.read("box", "a")) == b"old"
    assert os.listdir(tmp_path / ".incoming") == []


def test_what_a_dead_process_left_is_cleaned_up(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    put_blob(store, "box", "a", [b"1"])
    left, fresh = tmp_path / ".incoming" / "left", tmp_path / ".incoming" / "fresh"
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(left, (1, 1))
    put_blob(store, "box", "b", [b"2"])
    assert not left.exists() and fresh.exists()


def test_links_in_the_directory_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    store = LocalStore(tmp_path / "storage")
    put_blob(store, "box", "a", [b"1"])
    (tmp_path / "storage" / "box" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError):
        list(store.read("box", "link"))


def test_what_the_directory_cannot_do_is_an_error_of_the_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    put_blob(store, "box", "b/c", [b""])
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dir" / "a").mkdir(parents=True)
    deeds = (lambda: store.page("loop"), lambda: store.stat("loop", "a"), lambda: store.delete("dir", "a"))
    for deed in deeds:
        with pytest.raises(StoreError) as caught:
            deed()
        assert caught.value.code == "InternalError", deed


def test_a_reader_sees_one_version(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    put_blob(store, "box", "a", [b"x" * (3 << 20)])
    reading = store.read("box", "a")
    first = next(reading)
    put_blob(store, "box", "a", [b"y" * (3 << 20)])
    assert first + b"".join(reading) == b"x" * (3 << 20)
