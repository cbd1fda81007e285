"""XML for JUnit reports."""

from __future__ import annotations

import re
from xml.etree import ElementTree

# What XML 1.0 cannot hold at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def child(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    """A new last child, without the characters that XML cannot hold."""
    cleaned = {name: _clean(value) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, cleaned)
    element.text = None if text is None else _clean(text)
    return element


def rendered(root: ElementTree.Element) -> str:
    """The document in indented lines."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
