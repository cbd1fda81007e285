"""Files that cannot be used: the whole text that their writer gets to see, and nothing created.

To see a new text: `python -m tests.service.test_bad_workloads` writes the .txt beside each case. Read what it wrote.
"""

from pathlib import Path

import pytest

from service.problems import InputError
from service.settings import Settings
from service.workload_file import load_workload

from .offers import offers

CASES = Path(__file__).parent / "cases"
OFFERS = offers(("local.large", "local.medium", "local.small"))
FILES = sorted(path for path in CASES.iterdir() if path.suffix != ".txt")


def told(path):
    with pytest.raises(InputError) as caught:
        load_workload(path, Settings(), OFFERS)
    return str(caught.value).replace(f"{path.parent}/", "") + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_is_told_at_once(path):
    assert told(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


SYNTAX = [
    (b"", "is empty"),
    (b"# nothing\n", "is empty"),
    (b"pools: {}\n", "f.yaml:1:8: pools: must be a list (each item begins with `-`), not a group of properties"),
    (b"pools: []\n", "f.yaml:1:1: holds nothing to run: no pools, jobs or jobSchedules"),
    (b"\tpools: []\n", "f.yaml:1:1: is not valid YAML: indented by a tab; YAML wants blanks"),
    (b"pools:\n\t- id: a\n", "f.yaml:2:1: is not valid YAML: indented by a tab; YAML wants blanks"),
    (b"jobs: []\njobs: []\n", "f.yaml:2:1: 'jobs' stands here a second time (first in line 1)"),
    (b"jobs: *all\n", "f.yaml:1:7: *all stands for nothing; there is no &all before it"),
    (b"jobs: &a [*a]\n", "f.yaml:1:11: *a stands inside &a, which would never end"),
    (b"jobs: !!python/object:os.system x\n", "means nothing here; leave it out"),
    (b"jobs: []\n---\njobs: []\n", "f.yaml:2:1: a second document begins here; one file holds one document"),
    (b"[" * 3000, "f.yaml:1:52: is nested deeper than 50 levels"),
    (b"a\xff\n", "f.yaml:1:2: is not UTF-8 here; save the file as UTF-8"),
    ("jobs: []".encode("utf-16"), "is not UTF-8 here; save the file as UTF-8"),
    (b"jobs: \x00\n", "f.yaml:1:7: a control character, which YAML does not allow"),
    (b"jobs: [\n", "f.yaml:2:1: is not valid YAML: "),
    (b"just text\n", "f.yaml:1:1: must be a group of properties (applications, jobs, jobSchedules, pools), not "),
    (b"? [a]\n: b\n", "f.yaml:1:3: the name of a property must be text"),
    (b"#" * (33 * 2**20), "is larger than 32 MiB"),
    (b"a: &a [1,2,3,4,5,6,7,8,9]\n" + b"".join(
        b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in range(97, 106)
    ), "holds more than 5000000 values"),
]


def test_a_name_for_people_that_is_too_long_is_told_with_its_place(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text(f"pools:\n  - {{id: p, vmSize: local.small, displayName: {'x' * 1025}}}\n")
    assert told(path).startswith("f.yaml:2:47: pools[0].displayName: is too long: 1,025 characters; at most 1,024")


@pytest.mark.parametrize(("data", "text"), SYNTAX, ids=lambda value: repr(value[:30]))
def test_what_is_no_yaml(tmp_path, data, text):
    path = tmp_path / "f.yaml"
    path.write_bytes(data)
    assert text in told(path)


def test_files_that_cannot_be_read(tmp_path):
    assert "No such file or directory" in told(tmp_path / "absent.yaml")
    assert "is a folder; name the file in it" in told(tmp_path)


if __name__ == "__main__":
    for case in FILES:
        case.with_suffix(".txt").write_text(told(case), encoding="utf-8")
