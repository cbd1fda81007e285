"""What every object store does alike."""

from __future__ import annotations

import hashlib
import threading

import pytest

from runner import LocalStore, ObjectStore, StoreError, put_blob

HOSTILE = [
    "../escape",
    "../../etc/passwd",
    "/absolute",
    "a/../../b",
    "a/./b",
    "a//b",
    "ends/",
    ".hidden",
    "..",
    "-rf",
    "--",
    "with space",
    "new\nline",
    "carriage\rreturn",
    "tab\t",
    "quote's \"double\" `back`",
    "per%cent%41%",
    "back\\slash",
    "question?mark#hash&amp;+plus",
    "<xml/>&]]>",
    "ünïcödé/文件/🙂",
    "e\u0301 and é",
    "*?[a]",
    "CON",
    "x" * 1000,
    "x" * 199 + "/" + "y" * 300,
    "é" * 400,
    "🙂" * 200,
    "a/" * 253 + "b",
]


#: moto's routes do not match line feeds, S3 does.
LINE_FEED = "new\nline"


def hostile(store: ObjectStore) -> list[str]:
    return [name for name in HOSTILE if name != LINE_FEED or isinstance(store, LocalStore)]


def content(store: ObjectStore, name: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(store.read("box", name, start, length))


def names(store: ObjectStore, prefix: str = "", limit: int = 1000) -> list[str]:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = store.page("box", prefix, after, limit)
        found += [blob.name for blob in page.blobs]
        assert page.after is None or len(page.blobs) == limit
        after = page.after
    return found


def code(call: object) -> str:
    with pytest.raises(StoreError) as caught:
        call()  # type: ignore[operator]
    return caught.value.code


def test_a_blob_comes_back_as_it_went(store: ObjectStore) -> None:
    data = bytes(range(256)) * 5000
    blob = put_blob(store, "box", "a/b.bin", [data[:100], b"", data[100:]])
    assert (blob.name, blob.size) == ("a/b.bin", len(data))
    assert content(store, "a/b.bin") == data
    assert store.stat("box", "a/b.bin").size == len(data)
    assert store.stat("box", "a/b.bin").etag == blob.etag
    assert abs(store.stat("box", "a/b.bin").modified - blob.modified) < 2


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name(store: ObjectStore, name: str) -> None:
    if name not in hostile(store):
        pytest.skip("the server of the test does not take it")
    put_blob(store, "box", name, [name.encode()])
    assert names(store) == [name]
    assert content(store, name) == name.encode()
    store.delete("box", name)
    assert names(store) == [] and store.containers() == []


def test_hostile_names_are_apart_and_in_order(store: ObjectStore) -> None:
    given = hostile(store)
    for name in given:
        put_blob(store, "box", name, [name.encode()])
    assert names(store) == sorted(given)
    assert names(store, limit=1) == sorted(given)
    assert all(content(store, name) == name.encode() for name in given)


@pytest.mark.parametrize("name", ["", "nul\0", "x" * 1025, "é" * 513, "a/" * 254, "\ud800"])
def test_names_that_cannot_be(store: ObjectStore, name: str) -> None:
    for call in (store.stat, store.delete, store.read, store.begin):
        assert code(lambda call=call: call("box", name)) == "InvalidResourceName"


@pytest.mark.parametrize("container", ["", "ab", "Upper", "a_b", "a--b", "-ab", "ab-", "..", "a/b", "x" * 64, "a\nb"])
def test_containers_that_cannot_be(store: ObjectStore, container: str) -> None:
    assert code(lambda: store.stat(container, "a")) == "InvalidResourceName"
    assert code(lambda: store.page(container)) == "InvalidResourceName"


def test_what_is_not_there(store: ObjectStore) -> None:
    put_blob(store, "box", "a/b", [b"1"])
    for name in ("a", "a/b/c", "b", "a/"):
        assert code(lambda name=name: store.stat("box", name)) == "BlobNotFound"
        assert code(lambda name=name: store.delete("box", name)) == "BlobNotFound"
        assert code(lambda name=name: list(store.read("box", name))) == "BlobNotFound"
    assert store.page("other").blobs == ()


def test_a_blob_may_be_named_like_the_folder_of_another(store: ObjectStore) -> None:
    for name in ("a", "a/b", "a/b/c", "a/", "a-b", "a0", "aa"):
        put_blob(store, "box", name, [name.encode()])
    assert names(store) == ["a", "a-b", "a/", "a/b", "a/b/c", "a0", "aa"]
    assert names(store, "a/") == ["a/", "a/b", "a/b/c"]
    store.delete("box", "a/b")
    assert names(store, "a/b") == ["a/b/c"]


RANGES = [(0, 0), (0, 3), (3, 4), (8, 100), (10, 5), (50, 1), (9, None), (10, None)]


@pytest.mark.parametrize(("start", "length"), RANGES)
def test_ranges(store: ObjectStore, start: int, length: int | None) -> None:
    data = b"0123456789"
    put_blob(store, "box", "a", [data])
    assert content(store, "a", start, length) == data[start : None if length is None else start + length]


def test_an_upload_that_is_given_up_leaves_nothing(store: ObjectStore) -> None:
    put_blob(store, "box", "a", [b"old"])
    with pytest.raises(ZeroDivisionError), store.begin("box", "a") as upload:
        upload.write(b"new")
        raise ZeroDivisionError
    with store.begin("box", "b") as upload:
        upload.write(b"new")
    assert names(store) == ["a"] and content(store, "a") == b"old"


def test_a_new_version_has_another_etag(store: ObjectStore) -> None:
    first = put_blob(store, "box", "a", [b"old"])
    second = put_blob(store, "box", "a", [b"new"])
    assert first.etag != second.etag and content(store, "a") == b"new"


def test_a_large_blob(store: ObjectStore) -> None:
    piece, digest = bytes(range(256)) * 4096, hashlib.sha256()
    with store.begin("box", "large") as upload:
        for _ in range(40):
            upload.write(piece)
            digest.update(piece)
        upload.commit()
    assert store.stat("box", "large").size == 40 * len(piece)
    assert hashlib.sha256(b"".join(store.read("box", "large"))).digest() == digest.digest()


def test_many_at_once(store: ObjectStore) -> None:
    """Writers, and deletions that take folders away under them."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(15):
                put_blob(store, "box", f"folder/sub/{number}", [b"x" * number])
                assert content(store, f"folder/sub/{number}") == b"x" * number
                store.delete("box", f"folder/sub/{number}")
        except BaseException as exc:  # noqa: BLE001 - handed to the test's thread
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and names(store) == []


def test_containers(store: ObjectStore) -> None:
    for container in ("two", "one", "three"):
        put_blob(store, container, "a", [b""])
    assert store.containers() == ["one", "three", "two"]
    store.delete("two", "a")
    assert store.containers() == ["one", "three"]
