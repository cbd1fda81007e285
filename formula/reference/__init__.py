"""The reference of the language: one entry for every name, operator and finding, made from the tables.

    entries()["GetSamplePercent"].signatures  # ("$metric.GetSamplePercent(start: timeinterval or timestamp) -> ...",)
    find("getsample")                         # by any spelling; None if nothing has that name
"""

from .entries import entries, find, similar
from .entry import Entry, Example
from .markdown import findings_as_markdown, names_as_markdown
from .text import as_text, overview

__all__ = [
    "Entry",
    "Example",
    "as_text",
    "entries",
    "find",
    "findings_as_markdown",
    "names_as_markdown",
    "overview",
    "similar",
]
