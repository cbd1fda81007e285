"""`make simulate-faults`: what cannot be meant is refused, and the file of what was told is looked at first."""

from pathlib import Path

import pytest

from tests.service.lab.full_disk import needs_mounts, small_disk

from .__main__ import main
from .storms.seeds import Ledger


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--seeds", "0"), "--seeds: '0' must be a whole number, at least 1"),
        (("--seeds", "-3"), "--seeds: '-3' must be a whole number, at least 1"),
        (("--seeds", "many"), "--seeds: 'many' must be a whole number, at least 1"),
        (("--jobs", "0"), "--jobs: '0' must be a whole number, at least 1"),
        (("--seed", "-1"), "--seed: '-1' must be a whole number, at least 0"),
        (("--mutants", "loose_end"), "--mutants: there is no broken build 'loose_end'; without a name all are tried"),
        (("--first", "-1"), "--first: '-1' must be a whole number, at least 0"),
    ],
)
def test_arguments_that_cannot_be_meant(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)
    said = capsys.readouterr()
    assert (refused.value.code, said.out) == (2, "")
    assert told in said.err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none/ledger", "cannot be read and written: No such file or directory; name a file in a folder that there is"),
        ("folder", "cannot be read and written: Is a directory; name a file in a folder that there is"),
        ("binary", "is no file of stories that were told: name another"),
        ("text", "is no file of stories that were told: name another"),
    ],
)
def test_files_that_are_no_ledger(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\n")
    (tmp_path / "text").write_text("a letter\n")
    before = (tmp_path / "binary").read_bytes()
    with pytest.raises(ValueError, match=told) as refused:
        Ledger(tmp_path / name)
    assert str(refused.value).startswith(f"{tmp_path / name} ")
    assert (tmp_path / "binary").read_bytes() == before


@needs_mounts
def test_a_disk_that_fills_up_ends_the_run_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "disk"
    ledger = disk / "ledger"
    words = ("--seeds", "8", "--to", str(ledger))
    with small_disk(disk, 1) as fill:
        Ledger(ledger)
        fill()  # but for the page that the file has
        assert main(words) == 1
        cure = "with room there, the same command goes on"
        assert capsys.readouterr().err == f"{ledger} cannot be written: No space left on device; {cure}\n"
        assert len(Ledger(ledger).told) in range(1, 8)
        (disk / "filling").unlink()
        assert main(words) == 0
        assert sorted(Ledger(ledger).told) == list(range(8))
