"""The zipapp, and how it comes to life on all sorts of nodes."""

import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from runner.agent_bundle import agent_bundle

from .node import Node


def test_the_bundle_is_the_same_every_time() -> None:
    first = agent_bundle()
    agent_bundle.cache_clear()
    second = agent_bundle()
    assert first == second and first is not second
    agent_bundle.cache_clear()
    with zipfile.ZipFile(BytesIO(first.data)) as archive:
        assert archive.testzip() is None
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [name for name in archive.namelist() if "loader" in name]
        for module, (start, end, compiled, compiled_end) in first.places.items():
            name = module.replace(".", "/") + ("" if "." in module else "/__init__") + ".py"
            assert archive.read(name) == first.data[start:end]
            assert archive.read(name + "c") == first.data[compiled:compiled_end]
        assert 2 * len(first.places) == len(archive.namelist()) - 1
    assert len(first.packed) < 300_000


@pytest.mark.parametrize(("python", "taken"), [("of the controller", "wire.pyc"), ("another", "wire.py")])
def test_what_is_compiled_is_taken_where_python_is_the_same(tmp_path: Path, python: str, taken: str) -> None:
    data, (_, _, magic, _) = agent_bundle().data, agent_bundle().places["ebbtide_agent.wire"]
    if python == "another":
        data = data[:magic] + b"\0\0\r\n" + data[magic + 4 :]
    (tmp_path / "agent.pyz").write_bytes(data)
    tell = "import sys; sys.path.insert(0, sys.argv[1]); from ebbtide_agent import wire; print(wire.__file__)"
    command = [sys.executable, "-I", "-S", "-c", tell, str(tmp_path / "agent.pyz")]
    assert Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()).name == taken


def bootstrap(root: Path, path: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command, loader = agent_bundle().bootstrap(str(root))
    return subprocess.run(
        ["/bin/sh", "-c", command],
        input=loader + stdin,
        capture_output=True,
        check=False,
        env={"PATH": path},
        timeout=60,
    )


def test_the_command_is_one_line_of_harmless_characters(tmp_path: Path) -> None:
    command, loader = agent_bundle().bootstrap("/root's $HOME `x` \n é")
    assert "\n" not in command and not set("$`!\\") & set(command) and command.isascii()
    assert len(command) < 600
    assert loader.isascii() and len(loader) < 8192


def test_a_cached_agent_is_not_sent_again_and_a_damaged_one_is(node: Node) -> None:
    node.connect()
    node.kill_agent()
    (cached,) = (node.root / ".ebbtide").glob("agent-*.pyz")
    python = str(Path(shutil.which("python3") or "").parent)
    assert bootstrap(node.root, f"{python}:/bin").stdout.startswith(b"EBBTIDE have\n")
    cached.write_bytes(b"damaged")
    assert bootstrap(node.root, f"{python}:/bin").stdout == b"EBBTIDE need\n"
    damaged = bootstrap(node.root, f"{python}:/bin", bytes(len(agent_bundle().packed)))
    assert b"EBBTIDE refuse" in damaged.stdout and b"checksum" in damaged.stdout
    assert cached.read_bytes() == b"damaged"


def test_no_python(tmp_path: Path) -> None:
    assert bootstrap(tmp_path / "root", str(tmp_path)).returncode == 127


def test_an_old_python_is_refused_with_the_cure(tmp_path: Path) -> None:
    real = shutil.which("python3")
    old = tmp_path / "python3"
    old.write_text(f'#!/bin/sh\nshift 5\nexec {real} -I -S -c "import sys;sys.version_info=(3,6,15);$1"\n')
    old.chmod(0o755)
    text = bootstrap(tmp_path / "root", f"{tmp_path}:/bin").stdout.decode()
    assert text.startswith("EBBTIDE refuse") and "3.6.15" in text and "3.8" in text
    assert not (tmp_path / "root").exists()


def test_an_unusable_root_is_refused_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    python = str(Path(shutil.which("python3") or "").parent)
    text = bootstrap(tmp_path / "file/root", f"{python}:/bin").stdout.decode()
    assert text.startswith("EBBTIDE refuse") and "writable" in text


@pytest.mark.parametrize("version", [f"python3.{minor}" for minor in (8, 9, 10, 12, 13, 14)])
def test_other_pythons(node: Node, version: str) -> None:
    path = shutil.which(version)
    if path is None or subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no {version} here")
    assert node.connect(python=path)["python"].startswith(version.removeprefix("python") + ".")
    node.sh("t", "echo hello; exit 3")
    done = node.outcome("t")
    assert (done["exit"], done["stdout"]["text"]) == (3, "hello\n")
