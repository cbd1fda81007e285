"""KVM is used where it works, not where it merely opens."""

import json
import shutil
from pathlib import Path

import pytest

from providers.qemu import accelerator
from providers.qemu.accelerator import DONE, Accelerator, choose, run_through


@pytest.fixture
def kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose /dev/kvm opens."""
    monkeypatch.setattr(accelerator, "_KVM", "/dev/null")
    monkeypatch.setattr(accelerator, "_WITHIN", 1.0)


def fake(folder: Path, script: str) -> str:
    """A qemu that counts its starts and does as the script says."""
    program = folder / "qemu"
    program.write_text(f"#!/bin/sh\necho >> {folder}/starts\n{script}\n")
    program.chmod(0o755)
    return str(program)


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


@pytest.mark.parametrize(
    ("script", "name", "why"),
    [
        (f"exit {DONE}", "kvm", "a guest ran through"),
        ("exec sleep 60", "tcg", "did not get through little work in 1 s"),
        ("echo failed to set MSR >&2; exit 134", "tcg", "a guest failed: failed to set MSR"),
        ("exit 0", "tcg", "a guest failed: 0"),
    ],
)
@pytest.mark.usefixtures("kvm")
def test_what_was_found_out_holds_until_the_next_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str, why: str
) -> None:
    program, base = fake(tmp_path, script), tmp_path / "a, base é"
    found = choose("auto", program, base)
    assert found.name == name and why in found.why
    assert choose("auto", program, base) == found
    assert starts(tmp_path) == 1
    assert not (base / ".probe.img").exists()
    monkeypatch.setattr(accelerator, "boot_id", lambda: "another")
    assert choose("auto", program, base) == found
    assert starts(tmp_path) == 2


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", '{"key": 7}'])
@pytest.mark.usefixtures("kvm")
def test_a_damaged_memory_is_found_out_again(tmp_path: Path, damaged: str) -> None:
    (tmp_path / ".accelerator.json").write_text(damaged)
    assert choose("auto", fake(tmp_path, f"exit {DONE}"), tmp_path).name == "kvm"
    assert json.loads((tmp_path / ".accelerator.json").read_text())["name"] == "kvm"


@pytest.mark.parametrize("wanted", ["kvm", "tcg"])
def test_the_settings_decide_without_a_trial(tmp_path: Path, wanted: str) -> None:
    assert choose(wanted, "/no/qemu", tmp_path / "base").name == wanted
    assert not (tmp_path / "base").exists()


def test_without_the_device_there_is_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_KVM", "/no/kvm")
    assert choose("auto", "/no/qemu", tmp_path) == Accelerator("tcg", "/no/kvm is not there")


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86 is not installed")
def test_the_trial_guest_runs_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_WITHIN", 120.0)  # beside other tests it computes slowly
    assert run_through(Accelerator("tcg", ""), "qemu-system-x86_64", tmp_path)[0] == DONE
