"""`ebbtide formula replay` as it is typed."""

import csv
import io
import json
import subprocess
import sys

import pytest

from .stage import PATIENCE
from .test_cli import ebbtide

FORMULA = "$TargetDedicatedNodes = avg($PendingTasks.GetSample(2 * TimeInterval_Minute));\n"


@pytest.fixture
def files(tmp_path):
    formula, samples = tmp_path / "f.formula", tmp_path / "s.csv"
    formula.write_text(FORMULA)
    lines = ["time,PendingTasks"]
    for number in range(60):
        lines += [f"2026-01-31T08:{number // 2:02}:{number % 2 * 30:02}Z,{'' if 20 < number < 30 else number}"]
    samples.write_text("\n".join(lines) + "\n")
    return [str(formula), "--samples", str(samples)]


def replay(*words, **more):
    return ebbtide("formula", "replay", *words, **more)


def test_summary(files):
    run = replay(*files, "--price-per-hour", "0.5")
    assert run.returncode == 0, run.stderr
    told = dict(line.split("  ", 1) for line in run.stdout.splitlines()[1:6])
    assert run.stdout.startswith("6 runs from 2026-01-31T08:00:00.000Z to 2026-01-31T08:25:00.000Z, one every 300 s\n")
    assert {name: text.strip() for name, text in told.items()} == {
        "node-hours": "10.8 dedicated, 0.0 low-priority",
        "cost": "5.42",
        "peak": "48 nodes, first at 2026-01-31T08:25:00.000Z",
        "at zero": "0.1 h of 0.5 h",
        "resizes": "4",
    }
    assert "failed        2 of 6 runs, which left the targets alone:" in run.stdout
    assert "received 25%" in run.stdout
    assert replay(*files, "--strict").returncode == 1
    assert "cost" not in replay(*files).stdout


def test_a_cost_is_told_if_all_its_prices_are_known(files):
    words = *files, "--low-priority-price", "0.1"
    assert "cost          the cost of dedicated nodes is not known: say --price-per-hour\n" in replay(*words).stdout
    assert json.loads(replay(*words, "--json").stdout)["cost"] is None


def test_samples_from_standard_input(files):
    with open(files[2], encoding="utf-8") as samples:
        piped = replay(files[0], "--samples", "-", stdin=samples.read())
    assert piped.stdout == replay(*files).stdout


def test_json(files):
    found = json.loads(replay(*files, "--json", "--every", "PT10M", "--from", "2026-01-31T08:05:00Z").stdout)
    assert (found["runs"], found["every"], found["failures"], found["cost"]) == (3, 600.0, 1, None)
    assert found["evaluations"] == {
        "timestamp": [f"2026-01-31T08:{minute}:00.000Z" for minute in ("05", "15", "25")],
        "dedicated": [8, 8, 48],
        "lowPriority": [0, 0, 0],
        "nodeDeallocationOption": ["requeue"] * 3,
        "error": [None, 0, None],
    }
    (error,) = found["errors"]
    assert (error["code"], error["count"], error["first"]) == (
        "InsufficientSampleData", 1, "2026-01-31T08:15:00.000Z",
    )  # fmt: skip


def test_csv_and_tables(files):
    rows = list(csv.DictReader(io.StringIO(replay(*files, "--csv").stdout)))
    assert [row["dedicated"] for row in rows] == ["0", "8", "18", "18", "38", "48"]
    assert [bool(row["error"]) for row in rows] == [True, False, False, True, False, False]
    days = replay(*files, "--by", "day").stdout.splitlines()
    assert days[1].split() == ["2026-01-31", "48", "10.8", "0.0", "2"]
    assert replay(*files, "--by", "hour").stdout.splitlines()[1].startswith("2026-01-31T08:00 ")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--every", "5"], 2, "--every"),
        (["--from", "soon"], 2, "--from"),
        (["--to", "2020-01-01T00:00:00Z"], 2, "must not be later"),
        (["--json", "--csv"], 2, "choose one of"),
        (["--price-per-hour", "-1"], 2, "--price-per-hour"),
    ],
)
def test_what_cannot_be_used(files, words, code, told):
    run = replay(*files, *words)
    assert (run.returncode, run.stdout) == (code, "")
    assert told in run.stderr


def test_files_that_cannot_be_used(files, tmp_path):
    formula, _, samples = files
    absent = replay(formula, "--samples", str(tmp_path / "absent.csv"))
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "absent.csv: cannot be read: No such file or directory" in absent.stderr
    bad = replay("-", "--samples", samples, stdin="a = (;")
    assert (bad.returncode, bad.stdout) == (2, "")
    (tmp_path / "bad.csv").write_text("time,PendingTask\n")
    run = replay(formula, "--samples", str(tmp_path / "bad.csv"))
    assert run.returncode == 2
    assert "did you mean $PendingTasks?" in run.stderr


def test_numpy_is_loaded_for_replays_alone(files):
    formula, _, samples = files
    code = (
        "import sys; from service.cli import main\n"
        f"for words in (['check', {formula!r}], ['eval', {formula!r}, '--samples', {samples!r}]):\n"
        "    try: main(['formula', *words])\n"
        "    except SystemExit: pass\n"
        "print('numpy' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert run.stdout.splitlines()[-1] == "False"
