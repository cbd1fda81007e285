"""`ebbtide storage`: a user's files in and out of the object store."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from runner import LocalStore, put_blob
from service.cli import main
from service.cli.storage_words import completions

from .stage import COMMAND


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "d/b.txt", "d/e/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "d" / "link").symlink_to("/etc/passwd")
    return tmp_path


def storage(*words: str, code: int = 0, stdin: bytes = b"") -> tuple[str, str]:
    run = CliRunner().invoke(main, ["storage", *words], input=stdin, prog_name="ebbtide")
    assert run.exit_code == code, run.output
    if code:
        assert run.stderr.startswith("ebbtide: error: ") and run.stderr.count("\n") == 1
    return run.stdout, run.stderr


def names(container: str = "box") -> list[str]:
    return [blob.name for blob in LocalStore(Path(".ebbtide/storage")).page(container).blobs]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["a.txt", "storage://box"], ["a.txt"]),
        (["a.txt", "storage://box/x"], ["x"]),
        (["a.txt", "storage://box/x/"], ["x/a.txt"]),
        (["a.txt", "d/b.txt", "storage://box/x/"], ["x/a.txt", "x/b.txt"]),
        (["-r", "d", "storage://box"], ["d/b.txt", "d/e/c.txt"]),
        (["-r", "d", "storage://box/x"], ["x/b.txt", "x/e/c.txt"]),
        (["-r", "d/", "storage://box/x/"], ["x/d/b.txt", "x/d/e/c.txt"]),
        (["-r", ".", "storage://box/x"], ["x/a.txt", "x/d/b.txt", "x/d/e/c.txt"]),
    ],
)
def test_into_the_store(words: list[str], wanted: list[str]) -> None:
    assert storage("cp", *words) == ("", "")
    assert [name for name in names() if ".ebbtide" not in name] == wanted


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["storage://box/a.txt", "out"], ["out"]),
        (["storage://box/a.txt", "out/"], ["out/a.txt"]),
        (["storage://box/a.txt", "storage://box/d/b.txt", "out"], ["out/a.txt", "out/b.txt"]),
        (["-r", "storage://box", "out"], ["out/a.txt", "out/d/b.txt", "out/d/e/c.txt"]),
        (["-r", "storage://box/d", "out"], ["out/b.txt", "out/e/c.txt"]),
        (["storage://box/d/*", "out"], ["out/b.txt"]),
        (["storage://box/**/[bc].txt", "out"], ["out/d/b.txt", "out/d/e/c.txt"]),
    ],
)
def test_out_of_the_store(here: Path, words: list[str], wanted: list[str]) -> None:
    store = LocalStore(here / ".ebbtide" / "storage")
    for name in ("a.txt", "d/b.txt", "d/e/c.txt"):
        put_blob(store, "box", name, [name.encode()])
    storage("cp", *words)
    found = [here / "out", *(here / "out").rglob("*")]
    assert sorted(str(path.relative_to(here)) for path in found if path.is_file()) == wanted
    assert all(path.read_text() in ("a.txt", "d/b.txt", "d/e/c.txt") for path in found if path.is_file())


def test_standard_streams_and_copies_within() -> None:
    data = os.urandom(3_000_000)
    storage("cp", "-", "storage://box/in", stdin=data)
    storage("cp", "storage://box/in", "storage://other/deep/out")
    run = subprocess.run([*COMMAND, "storage", "cp", "storage://other/deep/out", "-"], capture_output=True, check=True)
    assert run.stdout == data


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["cp", "d", "storage://box"], 2, "-r copies it"),
        (["cp", "none", "storage://box"], 2, "there is no file none"),
        (["cp", "a.txt", "b.txt"], 2, "one of them must begin with storage://"),
        (["cp", "a.txt", "storage://Box"], 2, "is no container"),
        (["cp", "a.txt", "d/b.txt", "storage://box/x"], 2, "several files need a folder"),
        (["cp", "-", "storage://box"], 2, "standard input has no name"),
        (["cp", "storage://box/none", "out"], 1, "there is no blob 'none'"),
        (["cp", "storage://box", "out"], 2, "-r takes all in it"),
        (["cp", "-r", "storage://box", "out"], 2, "would leave the folder"),
        (["cp", "a.txt", "./a.txt", "storage://box/x/"], 2, "two of the files"),
        (["rm", "storage://box/none*"], 2, "nothing matches"),
        (["rm", "storage://box/none"], 1, "there is no blob"),
        (["url", "storage://box"], 2, "name a blob in it"),
        (["url", "storage://box/x", "--put"], 2, "local directory"),
        (["url", "storage://box/x", "--expires", "soon"], 2, "soon"),
        (["url", "storage://box/x", "--expires", "P8D"], 2, "P7D at most"),
        (["url", "storage://box/x", "--expires", "P7DT0.001S"], 2, "P7D at most"),
        (["url", "storage://box/x", "--expires", "PT0.9S"], 2, "PT1S at least"),
        (["url", "storage://box/x", "--expires", "PT0S"], 2, "PT1S at least"),
        (["ls", "box"], 2, "does not begin with storage://"),
    ],
)
def test_bad_input(here: Path, words: list[str], code: int, told: str) -> None:
    store = LocalStore(here / ".ebbtide" / "storage")
    put_blob(store, "box", "x", [b"x"])
    put_blob(store, "box", "../escape/y", [b"x"])
    assert told in storage(*words, code=code)[1]
    assert not (here / "out").exists() and sorted(names()) == ["../escape/y", "x"]


def test_list_and_remove(here: Path) -> None:
    assert storage("ls") == ("", "") and json.loads(storage("ls", "--json")[0]) == []
    store = LocalStore(here / ".ebbtide" / "storage")
    for name in ("a", "b/c", "b/new\nline", "\x1b[31mred"):
        put_blob(store, "box", name, [b"1234"])
    assert storage("ls")[0] == "box\n"
    listed = storage("ls", "storage://box")[0].splitlines()
    assert len(listed) == 4 and listed[0].endswith('"\\u001b[31mred"') and listed[1].split()[::2] == ["4", "a"]
    found = json.loads(storage("ls", "storage://box/b/", "--json")[0])
    assert [(each["name"], each["size"]) for each in found] == [("b/c", 4), ("b/new\nline", 4)]
    storage("rm", "storage://box/b/*")
    assert names() == ["\x1b[31mred", "a"]
    storage("rm", "-r", "storage://box")
    assert storage("ls")[0] == ""
    assert json.loads(storage("ls", "storage://box", "--json")[0]) == []


def test_the_address_of_a_file(here: Path) -> None:
    storage("cp", "a.txt", "storage://box/with space%41.txt")
    found = storage("url", "storage://box/with space%41.txt")[0].strip()
    from urllib.parse import unquote, urlsplit

    assert Path(unquote(urlsplit(found).path)).read_text() == "a.txt"


def test_completion(here: Path) -> None:
    store = LocalStore(here / "storage")
    for container, name in (("box", "a"), ("box", "b/c"), ("bag", "x")):
        put_blob(store, container, name, [b""])
    assert completions(store, "storage://b") == ["storage://bag/", "storage://box/"]
    assert completions(store, "storage://box/b") == ["storage://box/b/c"]
