"""Names in the narrow alphabets that clouds allow, made from ours so that the same one always gives the same."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}\Z")
_LONGEST = 63


def host_name(name: str) -> str:
    """`name` if it is a lower-case host name of one part (at most 63 characters, first a letter), as all are that the
    pool manager gives; else one that is, with a hash of the whole so that no two become one."""
    return name if _PLAIN.match(name) else _hashed(re.sub(r"[^a-z0-9-]+", "-", f"e-{name.lower()}"), name)


def label(value: str) -> str:
    """`value` as a label of Google: at most 63 of lower-case letters, digits, '_' and '-'."""
    return value if _LABEL.match(value) else _hashed(re.sub(r"[^a-z0-9_-]+", "-", value.lower()), value)


def label_key(key: str) -> str:
    """Like `label`, and first a letter."""
    return label(key) if re.match(r"[a-z]", key) else label(f"e-{key}")


def _hashed(readable: str, whole: str) -> str:
    mark = hashlib.sha256(whole.encode()).hexdigest()[:10]
    return f"{readable[: _LONGEST - 11].rstrip('-')}-{mark}"


def tag(text: str) -> str:
    """`text` as (a part of) a tag of DigitalOcean: letters, digits and '-' as they are, the rest as _xx. `untag` turns
    it back."""
    return "".join(
        character if re.match(r"[A-Za-z0-9-]", character) else "".join(f"_{byte:02x}" for byte in character.encode())
        for character in text
    )


def untag(text: str) -> str:
    return re.sub(
        r"((?:_[0-9a-f]{2})+)", lambda m: bytes.fromhex(m[1].replace("_", "")).decode(errors="replace"), text
    )
