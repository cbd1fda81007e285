"""What a container holds: the listing of the Blob protocol, page by page."""

from __future__ import annotations

import io
from urllib.parse import unquote

from .transfer import TransferError, download, shown, with_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

PAGE_LIMIT = 64 << 20  # bytes
MOST = 1_000_000  # blobs


def blobs(container: str, prefix: str, deadline: float | None, patient: bool) -> Iterator[tuple[str, int]]:
    """(name, size) of every blob whose name begins with `prefix`. Raises TransferError."""
    marker, count, seen = "", 0, set()
    while True:
        fields = {"restype": "container", "comp": "list"}
        if prefix:
            fields["prefix"] = prefix
        if marker:
            fields["marker"] = marker
        page = io.BytesIO()
        download(with_query(container, fields), page, PAGE_LIMIT, deadline, patient)
        found, marker = _parsed(container, page.getvalue())
        for each in found:
            count += 1
            if count > MOST:
                raise TransferError("limit", f"{shown(container)}: more than {MOST} blobs; narrow it by blobPrefix")
            if each[0].startswith(prefix):
                yield each
        if not marker:
            return
        if marker in seen:
            raise TransferError("other", f"{shown(container)}: its listing goes in circles")
        seen.add(marker)


def _parsed(container: str, data: bytes) -> tuple[list[tuple[str, int]], str]:
    import xml.etree.ElementTree as Xml

    try:
        root = Xml.fromstring(data)
        if root.tag != "EnumerationResults":
            raise ValueError(root.tag)
        found = []
        for blob in root.iter("Blob"):
            size = blob.findtext("Properties/Content-Length") or "0"
            found.append((_text(blob.find("Name")), int(size)))
        return found, _text(root.find("NextMarker"))
    except (Xml.ParseError, ValueError) as error:
        raise TransferError(
            "other", f"{shown(container)}: its answer is no listing of a container; is it the URL of one, with its SAS?"
        ) from error


def _text(element: object) -> str:
    if element is None:
        return ""
    text = getattr(element, "text", None) or ""
    encoded = getattr(element, "attrib", {}).get("Encoded") == "true"
    return unquote(text) if encoded else text
