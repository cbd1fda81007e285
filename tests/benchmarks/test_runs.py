"""The benchmarks run, all of them, with tiny counts. What they measure is no test."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *arguments, "--folder", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_every_benchmark(tmp_path):
    done = bench(tmp_path, "--quick", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == {"rounds", "tasks", "journal", "formula", "replay", "scale", "cloud", "api", "simulation"}
    for name in ("tasks", "journal", "formula", "replay", "scale", "cloud", "api", "simulation"):
        assert f"\n{name}: " in done.stderr
        for row in found[name]["rows"]:
            # what is left out says why
            assert (row["secondsEach"] and min(row["secondsEach"]) > 0) or row["remark"]
    product = found["tasks"]["rows"][0]
    assert product["name"].startswith("ebbtide") and product["secondsEach"]
    assert list(tmp_path.iterdir()) == []


def test_one_benchmark(tmp_path):
    done = bench(tmp_path, "--quick", "--rounds", "2", "--only", "formula")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("==")] == ["formula"]


def test_an_unknown_one_is_refused(tmp_path):
    done = bench(tmp_path, "--only", "weather")
    assert done.returncode == 2
    assert "weather" in done.stderr and "formula" in done.stderr
