"""Escapes with a backslash, in the strings of Terraform and Bicep."""

from __future__ import annotations

from collections.abc import Mapping


def character(hexadecimal: str) -> str:
    """The character of a number; what is none becomes U+FFFD."""
    number = int(hexadecimal, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def escaped(text: str, escapes: Mapping[str, str]) -> str:
    """The text with a backslash and the name of the escape in place of each character that has one."""
    names = {read: name for name, read in escapes.items()}
    return "".join(f"\\{names[one]}" if one in names else one for one in text)
