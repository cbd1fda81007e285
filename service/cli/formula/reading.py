"""Texts that commands are given."""

from __future__ import annotations

from typing import TextIO

from ..door import BadInput


def text_of(file: TextIO) -> str:
    """The whole text. Raises BadInput."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise BadInput(f"{file.name}: is not UTF-8; save the file as UTF-8") from None
