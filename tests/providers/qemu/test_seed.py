"""The seed is a volume that cloud-init finds by its name and reads."""

import io
from pathlib import Path

import pytest
from pycdlib.pycdlib import PyCdlib

from providers.qemu.seed import write_seed

VOLUME_NAME = slice(32808, 32840)  # ISO 9660: sector 16, from byte 40


def read(path: Path, way: str) -> dict[str, bytes]:
    volume, files = PyCdlib(), {}
    volume.open(str(path))
    for name in ("meta-data", "user-data"):
        data = io.BytesIO()
        volume.get_file_from_iso_fp(data, **{way: f"/{name}"})
        files[name] = data.getvalue()
    volume.close()
    return files


@pytest.mark.parametrize("way", ["rr_path", "joliet_path"])
@pytest.mark.parametrize("script", ["#!/bin/sh\n", "#!/bin/sh\n# ü\n" + "x" * 20_000])
def test_what_is_written_is_read(tmp_path: Path, script: str, way: str) -> None:
    write_seed(tmp_path / "seed", "dep-n1", script)
    assert (tmp_path / "seed").read_bytes()[VOLUME_NAME].rstrip() == b"cidata"
    assert read(tmp_path / "seed", way) == {
        "meta-data": b"instance-id: dep-n1\nlocal-hostname: dep-n1\n",
        "user-data": script.encode(),
    }


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    write_seed(tmp_path / "seed", "dep-n1", "#!/bin/sh\n")
    assert (tmp_path / "seed").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "host"), [("Dep.1_a-n1", "dep-1-a-n1"), ("d" * 100, "d" * 63), ("_d-", "d")]
)
def test_the_host_name_is_one(tmp_path: Path, name: str, host: str) -> None:
    write_seed(tmp_path / "seed", name, "#!/bin/sh\n")
    assert f"local-hostname: {host}\n".encode() in read(tmp_path / "seed", "rr_path")["meta-data"]
