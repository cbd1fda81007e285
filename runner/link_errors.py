"""What can go wrong between the controller and a node."""


class LinkError(Exception):
    """The link to a node does not work.

    `fatal`: trying again is no use, the node itself must be replaced or mended. `missing`: the link
    works, but the file that was asked for is not there, or may not be read.
    """

    fatal = False
    missing = False


class Unreachable(LinkError):
    """No connection: refused, silent, or cut off. Comes and goes with networks and boots."""


class HostKeyMismatch(LinkError):
    """Somebody else answers at this address. Nothing was sent to them."""

    fatal = True


class AuthFailed(LinkError):
    """The node refuses the key. A VM that is still booting may accept it later."""


class NoPython(LinkError):
    """The node has no python3."""

    fatal = True


class AgentFailed(LinkError):
    """The agent did not start, or ended with an error."""


class AgentRefused(AgentFailed):
    """The node cannot be used as it is: its Python is too old, or its root folder cannot be written."""

    fatal = True


class FileMissing(LinkError):
    """The file is not on the node, leads out of the node root, or cannot be read by anybody there."""

    missing = True


def told(error: Exception) -> str:
    """What an exception says; its name if it says nothing, as EOFError does."""
    return str(error) or type(error).__name__
