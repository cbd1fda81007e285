"""Write the reference of the formula language, and the tables of properties and of operations, into the documents:
`make docs`."""

from pathlib import Path

from formula.reference import findings_as_markdown, names_as_markdown
from service.property_table import as_markdown

from . import operation_table
from .sources import ROOT

START, END = "<!-- reference: written by `make docs` -->\n", "<!-- end of reference -->\n"


def write(path: Path, section: str) -> None:
    """Replace what stands between the two marks."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} has lost the marks {START.strip()} and {END.strip()}")
    path.write_text(f"{before}{START}\n{section}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(ROOT / "docs/formula.md", names_as_markdown())
    write(ROOT / "docs/formula-findings.md", findings_as_markdown())
    write(ROOT / "docs/properties.md", as_markdown())
    write(ROOT / "docs/api.md", operation_table.as_markdown())
