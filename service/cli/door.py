"""How every command ends: exit codes, and errors in one line instead of a traceback.

0: done. 1: a task failed, or what was asked for did. 2: bad input, or a state that cannot be used.
130: interrupted; of commands that `early_end` lets tell what there is: 129 by SIGHUP, 143 by SIGTERM.
141: whoever read our output has had enough; so shells tell of programs that SIGPIPE has ended.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from ..hints import pasteable
from ..printable import printable
from .other_words import here
from .tell import heard_or_not, hush, tell

DEBUG = "EBBTIDE_DEBUG"
#: What helps against what the system says.
_CURES = {
    errno.ENOSPC: "free space there, then give this command again",
    errno.EDQUOT: "the quota is used up: free space there, then give this command again",
    errno.EROFS: "make it writable, or name another place",
}


class BadInput(click.ClickException):
    """What was given cannot be used; the message names the place and the cure."""

    exit_code = 2


class Door(click.Group):
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        #: of the command line, as far as it was read
        said: dict[str, Any] = {}
        try:
            code = super().main(args, prog_name or "ebbtide", complete_var, standalone_mode=False, obj=said, **extra)
        except click.Abort:
            fail("interrupted", 130)
        except click.exceptions.NoArgsIsHelpError as exc:
            click.echo(exc.format_message(), err=True)
            sys.exit(exc.exit_code)
        except click.UsageError as exc:
            where = f" (ebbtide{_words(exc.ctx)} --help tells more)" if exc.ctx is not None else ""
            fail(f"{exc.format_message()}{_dash(exc)}{_other_word(exc)}{where}", exc.exit_code)
        except click.ClickException as exc:
            fail(pasteable(exc.format_message(), said.get("state")), exc.exit_code)
        except Exception as exc:
            if os.environ.get(DEBUG):
                raise
            message, code = _told(exc)
            fail(f"{pasteable(message, said.get('state'))}{_or_server(exc, said)}", code)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as exc:  # which click takes for a reader of ours in any case
            if hush():
                sys.exit(141)
            fail(*_told(exc))


def _dash(error: click.UsageError) -> str:
    """The cure, if an id that begins with a dash was taken for options."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None or error.option_name.startswith("--"):
        return ""
    if not any(isinstance(each, click.Argument) for each in error.ctx.command.params):
        return ""
    return " An id that begins with `-` stands behind `--`, and that behind all options."


def _other_word(error: click.UsageError) -> str:
    """The cure, if it is a word of another tool."""
    if error.ctx is None or not isinstance(error.ctx.command, click.Group):
        return ""
    return here(error.format_message(), _words(error.ctx).strip())


def _or_server(error: Exception, said: Mapping[str, Any]) -> str:
    """What else helps, if there is no state: most commands can be about a server."""
    from ..state import NoState

    if not isinstance(error, NoState):
        return ""
    if said.get("takes a server"):
        return "; or a server: AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT and AZURE_BATCH_ACCESS_KEY"
    if os.environ.get("AZURE_BATCH_ENDPOINT"):
        return ". This command is about a state directory in any case, and AZURE_BATCH_ENDPOINT means nothing to it"
    return ""


def _words(context: click.Context) -> str:
    """The words of the command after `ebbtide`."""
    return "".join(f" {word}" for word in context.command_path.split()[1:])


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong, and leave."""
    print_error(message)
    sys.exit(code)


def print_error(message: str) -> None:
    with heard_or_not():
        click.secho("ebbtide: error: ", fg="red", bold=True, err=True, nl=False, color=colour(sys.stderr))
    tell(message, err=True)


def colour(stream: Any) -> bool:
    """Colours are for terminals that are told of, and for those who have not said NO_COLOR (no-color.org)."""
    if stream is None:  # it was closed before we began
        return False
    known = os.environ.get("TERM", "") not in ("", "dumb")
    return known and not os.environ.get("NO_COLOR") and bool(stream.isatty())


def _of_system(error: OSError) -> str:
    cure = _CURES.get(error.errno or 0)
    where = printable(str(error.filename or "the system"))
    return f"{where}: {error.strerror or error}{f'; {cure}' if cure is not None else ''}"


def _told(exc: Exception) -> tuple[str, int]:
    """An expected error as message and exit code; anything else is a defect of ours."""
    from pools import JournalError, PoolError
    from providers import InvalidRequestError, ProviderError
    from runner import JobError, PackageError

    from ..conflicts import WorkloadConflict
    from ..problems import InputError
    from ..state import StateError

    if isinstance(exc, InputError):
        count = len(exc.problems)
        return (str(exc) if count == 1 else f"{exc.file} has {count} problems:\n{exc}"), 2
    bad_input = InvalidRequestError | PackageError | PoolError | JobError | WorkloadConflict
    if isinstance(exc, bad_input | StateError | JournalError):
        return str(exc), 2
    if isinstance(exc, ProviderError):
        return str(exc), 1
    if isinstance(exc, OSError):
        return _of_system(exc), 1
    return f"{type(exc).__name__}: {exc} (a defect of ebbtide; {DEBUG}=1 shows where)", 1
