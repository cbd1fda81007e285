"""Files below one folder, wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

NO_CONTROLLER = "no controller works on this state, and nobody else reaches its nodes"


class TreeError(Exception):
    """A file cannot be had; `status` and `code` are those of the Batch REST API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is relative to the tree; `size` in bytes, `modified` an Instant, `mode` the permission bits."""

    name: str
    is_folder: bool
    size: int
    modified: float
    mode: int


class Tree(Protocol):
    """Files below one folder. Every method takes its time, and raises TreeError."""

    #: what a node calls itself that answers; None: nothing but what was kept
    node_id: str | None
    #: the execution whose files these are; None: not those of a task
    execution: str | None
    #: its folder on the node, as an absolute path; None: nobody knows
    top: str | None

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        """Below `folder`, in the order of their names, which are relative to the tree: the first ones behind `after`;
        and whether there are more."""

    def entry(self, path: str) -> Entry: ...
    def read(self, path: str, offset: int, length: int) -> bytes:
        """Fewer bytes only at the end of the file."""

    def delete(self, path: str, recursive: bool) -> None: ...
