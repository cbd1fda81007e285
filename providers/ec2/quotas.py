"""The account's limits of vCPUs: one for each group of size families, and for on-demand and spot apart.

Codes: "Amazon EC2 instance type quotas" in the EC2 guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    code: str
    kind: str
    families: str


_FAMILY = re.compile(r"(p5|[a-z]+)")
#: Letters that a size begins with -> name, code of on-demand, code of spot (None: there is no spot).
_GROUPS: dict[str, tuple[str, str, str | None]] = {
    "standard": ("standard (A, C, D, H, I, M, R, T, Z)", "L-1216C47A", "L-34B43A08"),
    "dl": ("DL", "L-6E869C2A", "L-85EED4F7"),
    "f": ("F", "L-74FC7D96", "L-88CF9481"),
    "g": ("G and VT", "L-DB2E81BA", "L-3819A6DF"),
    "hpc": ("HPC", "L-F7808C92", None),
    "inf": ("Inf", "L-1945791B", "L-B5D1601B"),
    "p": ("P", "L-417A185B", "L-7212CCBC"),
    "p5": ("P5", "L-417A185B", "L-C4BD4855"),
    "trn": ("Trn", "L-2C3B7624", "L-6B0D517C"),
    "u": ("High Memory", "L-43DA4232", None),
    "x": ("X", "L-7295265B", "L-E3A00192"),
}
_SAME = {"vt": "g", "gr": "g"}


def quotas_of(size: str) -> list[Quota]:
    """The limits that VMs of the size count against: on-demand, spot."""
    found = _FAMILY.match(size)
    letters = found[1] if found else ""
    families, usual, spot = _GROUPS.get(_SAME.get(letters, letters), _GROUPS["standard"])
    return [Quota(code, kind, families) for code, kind in ((usual, "on-demand"), (spot, "spot")) if code is not None]
