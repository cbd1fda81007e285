"""What a syntax error really is: the mistakes that people make, recognised where the parser stopped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from lark import UnexpectedInput


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    start: int
    end: int
    message: str
    hint: str | None = None
    #: Where the next statement begins, if the fault is a missing `;`.
    resume: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A pattern at the place of the error, and what it means."""

    pattern: re.Pattern[str]
    code: str
    message: str
    hint: str


def _known(pattern: str, code: str, message: str, hint: str) -> _Known:
    return _Known(re.compile(pattern, re.ASCII), code, message, hint)


# Tried in order, where the parser stopped.
_AT_THE_ERROR = (
    _known(
        r"/\*",
        "F108",
        "invalid character `/*`: it does not start a comment, and is not closed",
        "comments start with // and go to the end of the line",
    ),
    _known(
        r'\\["\']',
        "F110",
        "invalid character `\\`: the quotes were escaped twice or never unescaped",
        'write plain double quotes: "..."',
    ),
    _known(
        r"'[^'\r\n]*'?",
        "F109",
        "strings stand in double quotes",
        "replace the single quotes by double quotes",
    ),
    _known(
        r"[\u2018\u2019\u201c\u201d]",
        "F109",
        "a typographic quote is no quote",
        'write plain double quotes: "..."',
    ),
    _known(
        r'"[^"\r\n]*', "F112", "the string is not closed on its line", 'a string ends with " on the same line'
    ),
    _known(
        r"\$?\{\{?[^{}\r\n;=]*\}\}?|%[sd]\b|\$\([^)\r\n]*\)",
        "F111",
        "a template placeholder was not replaced",
        "fill it in before the formula is used",
    ),
    _known(r"\[", "F115", "there are no vector literals", "vec(1, 2, 3) makes a vector"),
    _known(r"\+\+|--|[-+*/]=", "F114", "there is no such operator", "write x = x + 1"),
    _known(
        r"%|\^|\*\*",
        "F114",
        "there is no such operator",
        "the operators are + - * / < <= == >= > != && || ! ?:",
    ),
    _known(r"[&|]", "F114", "there is no such operator", "write && and ||"),
    _known(r"=", "F114", "`=` assigns and cannot stand inside an expression", "write == to compare"),
    _known(r"\+", "F104", "there is no unary plus", "leave it out"),
    _known(
        r"\u00a0|\u200b|\ufeff",
        "F106",
        "invalid character: an invisible one, pasted from elsewhere",
        "replace it by a blank",
    ),
    _known(
        r"\$(?![A-Za-z_])", "F106", "invalid character `$`: no name follows", "names look like $PendingTasks"
    ),
)

_HEX = re.compile(r"0[xX][0-9a-fA-F]+", re.ASCII)
_DIGITS_BEFORE = re.compile(r"[0-9.]+\Z", re.ASCII)
_WORD = re.compile(r"\$?\w+|[^\s]", re.ASCII)
_STARTS_STATEMENT = re.compile(r"\$?[A-Za-z_]\w*", re.ASCII)
_ASSIGNS = re.compile(r"\$?[A-Za-z_]\w*\s*=(?!=)", re.ASCII)
_CODE = re.compile(r"//[^\r\n]*|(?P<code>\S)")
_SKIPPED = re.compile(r'"[^"\r\n]*"|//[^\r\n]*|[()]')
_FOREIGN_WORDS = {"if", "else", "while", "for", "return", "var", "let", "int", "double", "function"}


def explain(text: str, start: int, end: int, unexpected: UnexpectedInput) -> Fault:
    """The cause of a syntax error in the piece text[start:end]; offsets are those of the whole text."""
    place = _place(unexpected, end)
    if place >= end:
        return _at_the_end(text, start, end)
    if text.startswith("/*", place - 1):
        place -= 1
    for known in _AT_THE_ERROR:
        match = known.pattern.match(text, place, end)
        if match:
            return Fault(known.code, match.start(), match.end(), known.message, known.hint)
    digits = _DIGITS_BEFORE.search(text, start, place)
    if digits and (text[place].isalpha() or text[place] in "._"):
        return _bad_number(text, digits.start(), place, end)
    word = _WORD.match(text, place, end)
    found = word.group() if word else text[place]
    begin = _first_character(text, start, end)
    if _starts_statement(text, place, end, begin):
        return _missing_semicolon(text, start, place, found)
    hint = None
    first = _WORD.match(text, begin, end)
    if first and first.group() in _FOREIGN_WORDS:
        hint = "there are only assignments and expressions; a choice is written condition ? a : b"
    elif found == ")" and _unclosed(text, start, place) is None:
        hint = "no parenthesis is open here"
    elif found in ("{", "}"):
        hint = "there are no blocks"
    if not found.isascii() or not (found.isalnum() or found in "(){}?:,.<>!=+-*/&|$_" or len(found) > 1):
        return Fault("F106", place, place + len(found), f"invalid character `{found}`", hint)
    return Fault("F104", place, place + len(found), f"unexpected `{found}`", hint)


def _place(unexpected: UnexpectedInput, end: int) -> int:
    """The offset where the parser stopped; the end of the piece if it wanted more text."""
    token: Any = getattr(unexpected, "token", None)
    if token is not None and token.type == "$END":
        return end
    return cast(int, unexpected.pos_in_stream)


def _first_character(text: str, start: int, end: int) -> int:
    """The offset of the first character that is neither blank nor comment."""
    return next((match.start() for match in _CODE.finditer(text, start, end) if match.group("code")), end)


def _at_the_end(text: str, start: int, end: int) -> Fault:
    opening = _unclosed(text, start, end)
    if opening is not None:
        return Fault("F113", opening, opening + 1, "this parenthesis is not closed", "add the missing )")
    last = len(text[:end].rstrip())
    place = max(start, last - 1)
    return Fault("F117", place, max(place + 1, last), "the statement ends in the middle of an expression")


def _unclosed(text: str, start: int, end: int) -> int | None:
    """The innermost parenthesis of the piece that is still open at `end`."""
    stack = []
    for match in _SKIPPED.finditer(text, start, end):
        if match.group() == "(":
            stack.append(match.start())
        elif match.group() == ")" and stack:
            stack.pop()
    return stack[-1] if stack else None


def _bad_number(text: str, start: int, place: int, end: int) -> Fault:
    word = _WORD.match(text, place, end)
    stop = word.end() if word else place + 1
    shown = text[start:stop]
    if _HEX.fullmatch(shown):
        return Fault("F116", start, stop, f"`{shown}` is not a decimal number", f"write {int(shown, 16)}")
    return Fault(
        "F116", start, stop, f"`{shown}` is neither a number nor a name", "names do not start with a digit"
    )


def _starts_statement(text: str, place: int, end: int, begin: int) -> bool:
    """Does a new statement begin at `place`? Either `name =`, or any name at the start of a line."""
    if place <= begin or not _STARTS_STATEMENT.match(text, place, end):
        return False
    if _ASSIGNS.match(text, place, end):
        return True
    lead = text[begin:place]
    return "\n" in lead[len(lead.rstrip()) :] or "\r" in lead[len(lead.rstrip()) :]


def _missing_semicolon(text: str, start: int, place: int, found: str) -> Fault:
    # The caret stands behind the last character of the statement that lacks its `;`.
    code_end = start
    for match in re.finditer(r'"[^"\r\n]*"|//[^\r\n]*|\S', text[start:place]):
        if not match.group().startswith("//"):
            code_end = start + match.end()
    return Fault(
        "F105",
        code_end,
        code_end + 1,
        f"`;` is missing here, before `{found}`",
        "every statement but the last ends with `;`",
        resume=place,
    )
