"""Names and texts of others as a terminal only shows them."""

from __future__ import annotations

import re

# A terminal would act on these: escapes, and what turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """In one line; a line's end is shown as `\\n`."""
    return _CONTROL.sub(lambda found: "\\n" if found[0] == "\n" else "\ufffd", text)
