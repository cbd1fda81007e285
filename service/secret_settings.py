"""The settings about secrets that specifications may refer to, below `secrets`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from runner import Secrets


class SecretSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`folder`: absolute; of the files that `${secret:file:NAME}` may name; None: none may be. `prefix`: how the names
    of the variables begin that `${secret:env:NAME}` may name; None: none may be."""

    folder: str | None = None
    prefix: str | None = None

    def fault(self) -> tuple[str, str] | None:
        """The setting that is wrong, and why."""
        if self.folder is not None and not Path(self.folder).is_absolute():
            return "secrets.folder", "must be an absolute path, such as /etc/ebbtide/secrets"
        if self.prefix is not None and len(self.prefix) < 3:
            return "secrets.prefix", "must have at least 3 characters, such as EBBTIDE_SECRET_"
        return None

    def secrets(self, environment: Mapping[str, str]) -> Secrets:
        """`environment`: the controller's."""
        from runner import Secrets  # it takes a while to import: only controllers need it

        return Secrets(Path(self.folder) if self.folder is not None else None, self.prefix, environment)
