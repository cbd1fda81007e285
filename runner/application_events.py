"""What can be asked of applications."""

from __future__ import annotations

from .events import Event
from .model import ApplicationPackage


class AddApplication(Event, frozen=True):
    """`keep_default`: a version that is the default one already stays so, whatever `package` says."""

    package: ApplicationPackage
    keep_default: bool = False


class SetDefaultVersion(Event, frozen=True):
    """References without a version stand for this one; `version` None: for the version that was added last."""

    application_id: str
    version: str | None


class RemoveApplication(Event, frozen=True):
    """`version` None: all of them. The zip goes later, when nothing else has the same content."""

    application_id: str
    version: str | None = None
