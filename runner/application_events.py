"""What can be asked of applications."""

from __future__ import annotations

from dataclasses import dataclass

from .events import Event
from .model import ApplicationPackage


@dataclass(frozen=True, slots=True)
class AddApplication(Event):
    """`keep_default`: a version that is the default one already stays so, whatever `package` says."""

    package: ApplicationPackage
    keep_default: bool = False


@dataclass(frozen=True, slots=True)
class SetDefaultVersion(Event):
    """References without a version stand for this one; `version` None: for the version that was added last."""

    application_id: str
    version: str | None


@dataclass(frozen=True, slots=True)
class RemoveApplication(Event):
    """`version` None: all of them. The zip goes later, when nothing else has the same content."""

    application_id: str
    version: str | None = None
