"""What the reference says about one name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["target", "option", "metric", "function", "method", "member", "constant", "operator", "finding"]

#: The kinds in the order of the reference, with the heading of each.
HEADINGS: dict[Kind, str] = {
    "target": "Targets",
    "option": "Node deallocation options",
    "metric": "Metrics",
    "method": "Methods of metrics",
    "function": "Functions",
    "member": "Parts of a timestamp",
    "constant": "Interval constants",
    "operator": "Operators",
    "finding": "Findings",
}


@dataclass(frozen=True, slots=True)
class Example:
    """An expression and its value as the results text prints it, on the samples of `examples`. Tests run it."""

    expression: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One name. `signatures`: how it is written, with types. `summary`: one line. `notes`: what else one has to know.

    `severity`, `wrong` and `right` are those of a finding: a formula that has it, and the same one mended.
    """

    name: str
    kind: Kind
    summary: str
    signatures: tuple[str, ...] = ()
    notes: str = ""
    examples: tuple[Example, ...] = ()
    severity: str | None = None
    wrong: str = ""
    right: str = ""

    @property
    def sentence(self) -> str:
        """The summary with a capital letter and a full stop."""
        return self.summary[:1].upper() + self.summary[1:] + ("" if self.summary.endswith((".", "?")) else ".")

    def to_json(self) -> dict[str, Any]:
        """What `ebbtide formula docs --json` prints; of a finding with severity, wrong and right."""
        told: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "summary": self.summary,
            "signatures": list(self.signatures),
            "notes": self.notes,
            "examples": [{"expression": each.expression, "value": each.value} for each in self.examples],
        }
        if self.kind == "finding":
            told |= {"severity": self.severity, "wrong": self.wrong, "right": self.right}
        return told
