"""The first example of docs/storage.md does what it says, typed as it stands."""

import re
import shutil
import subprocess
import sys

from tests.architecture.sources import ROOT

DOCUMENT = (ROOT / "docs/storage.md").read_text(encoding="utf-8")
PAGE = ROOT / "examples/ocr/ocr/pages/1.png"


def block(language):
    """The first one of the document."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_the_first_example(tmp_path):
    workload = block("yaml")
    if shutil.which("tesseract") is None:
        workload = workload.replace("tesseract page-1.png text", "cp page-1.png text.txt")
    (tmp_path / "ocr.yaml").write_text(workload)
    for number in (1, 2):
        (tmp_path / "images").mkdir(exist_ok=True)
        shutil.copy(PAGE, tmp_path / f"images/page-{number}.png")
    typed = [line[2:] for line in block("console").splitlines()]
    assert len(typed) == 3 and all(line.startswith("ebbtide ") for line in typed)
    script = f'set -e; ebbtide() {{ "{sys.executable}" -m service "$@"; }}\n' + "\n".join(typed)
    run = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    out = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert out == ["out/logs/page-1/stderr.txt", "out/logs/page-1/stdout.txt", "out/page-1.txt"]
    assert all(name in DOCUMENT for name in out)
