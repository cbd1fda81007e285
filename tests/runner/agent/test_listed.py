"""The first of many paths, page by page: all of them, once each, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import Vm
from runner.agent import listed
from runner.agent.listed import Listed

from .link import Ears

PATHS = st.sets(st.text("ab./-é", min_size=1, max_size=6), max_size=30)


@given(PATHS, st.randoms(use_true_random=False), st.integers(1, 7), st.integers(1, 40))
def test_pages_hold_everything_once(paths: set[str], random: object, most: int, length: int) -> None:
    shuffled = sorted(paths)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listed, "MOST", most)
        patch.setattr(listed, "MOST_LENGTH", length)
        while True:
            page = Listed(found[-1] if found else "")
            for path in shuffled:
                if page.wants(path):
                    page.add(path, {"of": path})
            assert len(page.paths) <= most
            assert [each["of"] for each in page.described] == page.paths
            found += page.paths
            if not page.truncated:
                break
    assert found == sorted(paths)


def test_a_folder_of_a_node_in_pages(ears: Ears, vm: Vm) -> None:
    root = Path(vm.node_root)
    for name in ("a", "a.b", "a/b", "b"):
        path = root / "startup" / name
        path.mkdir() if name == "a" else path.touch()
    files = ears.link.files
    whole, more = files.list("startup", True)
    names = [each["path"] for each in whole]
    assert names == sorted(names) and {"a", "a.b", "a/b", "b"} <= set(names) and not more
    for after in names:
        assert [each["path"] for each in files.list("startup", True, after)[0]] == names[names.index(after) + 1 :]
