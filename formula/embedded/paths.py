"""Where formulas stand in documents: by the names that lead there."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIMPLE = re.compile(r"\w[\w-]*")


def is_formula(path: Sequence[str | int]) -> bool:
    """Whether a formula stands there: `autoScaleFormula`, or `formula` in `autoScale` (ARM), `auto_scale` (Terraform).

    Letter case does not count, as in Azure's own interfaces, nor do underlines. A parameter of a template is one too:
    `autoScaleFormula: {defaultValue}`, `variable "autoscale_formula" {default}`.
    """
    names = [re.sub("[-_]", "", name).lower() for name in path if isinstance(name, str)]
    if len(names) > 1 and names[-1] in ("value", "defaultvalue", "default"):
        names.pop()
    last = names[-1] if names else ""
    return last == "autoscaleformula" or (last == "formula" and names[-2:-1] == ["autoscale"])


def rendered(path: Sequence[str | int]) -> str:
    """A path as messages write it: `pools[0].autoScaleFormula`."""
    text = ""
    for name in path:
        if isinstance(name, int):
            text += f"[{name}]"
        elif _SIMPLE.fullmatch(name):
            text += f".{name}" if text else name
        else:
            text += f"[{name!r}]"
    return text
