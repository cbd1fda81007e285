"""What a syntax error really is: the mistakes that people make, recognised where the parser stopped."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .diagnostics import Edit


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    start: int
    end: int
    message: str
    hint: str | None = None
    #: Where the next statement begins, if it begins before the next `;`.
    resume: int | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """A pattern at the place of the error, and what it means. `mended`: what was meant, a template for `expand`."""

    pattern: re.Pattern[str]
    code: str
    message: str
    hint: str
    mended: str | None


def _known(pattern: str, code: str, message: str, hint: str, mended: str | None = None) -> _Known:
    return _Known(re.compile(pattern, re.ASCII), code, message, hint, mended)


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
        r"\$?\{\{?[^{}\r\n;=]*\}\}?|%[sd]\b|\$\([^)\r\n]*\)|<[A-Za-z_][\w .-]*>|@+\{?\w+\}?@*"
        r"|\[(?:parameters|variables|concat|format|reference)\([^\r\n;]*\)\]",
        "F111",
        "a template placeholder was not replaced",
        "fill it in before the formula is used",
    ),
    _known(
        r"\[([^\[\]\r\n;]*)\]", "F115", "there are no vector literals", "vec(1, 2, 3) makes a vector", r"vec(\1)"
    ),
    _known(r"\[", "F115", "there are no vector literals", "vec(1, 2, 3) makes a vector"),
    _known(r"=([<>])", "F114", "there is no such operator", "write >= or <=", r"\1="),
    _known(r"and\b", "F114", "there is no such operator", "write &&", "&&"),
    _known(r"or\b", "F114", "there is no such operator", "write ||", "||"),
    _known(r"[=!]==", "F114", "there is no such operator", "write == or !="),
    _known(r"<>", "F114", "there is no such operator", "write !=", "!="),
    _known(r":=", "F114", "there is no such operator", "write =", "="),
    _known(r"\+\+|[-+*/]=", "F114", "there is no such operator", "write x = x + 1"),
    _known(
        r"%|\^|\*\*",
        "F114",
        "there is no such operator",
        "the operators are + - * / < <= == >= > != && || ! ?:",
    ),
    _known(r"(?<![&|])([&|])(?![&|])", "F114", "there is no such operator", "write && and ||", r"\1\1"),
    _known(r"&\||\|&|(?<=[&|])[&|]", "F114", "there is no such operator", "write && and ||"),
    _known(r"=", "F114", "`=` assigns and cannot stand inside an expression", "write == to compare"),
    _known(r"\+", "F104", "there is no unary plus", "leave it out", ""),
    _known(r"[\u2013\u2014\u2212]", "F106", "invalid character: this dash is no minus sign", "write -", "-"),
    _known(
        r"\$(?![A-Za-z_])", "F106", "invalid character `$`: no name follows", "names look like $PendingTasks"
    ),
)

# Longer ones are no number of anything, and Python refuses to write thousands of digits.
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,16}", re.ASCII)
_DIGITS_BEFORE = re.compile(r"[0-9.]+\Z", re.ASCII)
_WORD = re.compile(r"\$?\w+|&&|\|\||[<>=!]=|[^\s]", re.ASCII)
# Of these the parser has taken the first one or two characters for an operator of its own.
_BEGUN_BEFORE = re.compile(r"/\*|\+\+|\*\*|[-+*/]=|<>|[=!]==")
_ESCAPED_BEFORE = re.compile(r'\\"\s*\Z')
_NAME_BEFORE = re.compile(r"[\r\n][ \t]*(\$?[A-Za-z_]\w*)\s*\Z", re.ASCII)
_STARTS_STATEMENT = re.compile(r"\$?[A-Za-z_]\w*", re.ASCII)
_ASSIGNS = re.compile(r"\$?[A-Za-z_]\w*\s*=(?!=)", re.ASCII)
_CODE = re.compile(r'//[^\r\n]*|(?P<code>"[^"\r\n]*"|\S)')
_SKIPPED = re.compile(r'"[^"\r\n]*"|//[^\r\n]*|[()]')
_FOREIGN_WORDS = {"if", "else", "while", "for", "return", "var", "let", "int", "double", "function"}


def explain(text: str, start: int, end: int, place: int) -> Fault:
    """The cause of a syntax error in the piece text[start:end]; offsets are those of the whole text.

    `place`: where the parser stopped; `end` if it wanted more text.
    """
    if place >= end:
        return _at_the_end(text, start, end)
    interrupted = _interrupted(text, start, place)
    if interrupted is not None:
        return interrupted
    begun = (back for back in (place - 2, place - 1) if back >= start and _BEGUN_BEFORE.match(text, back, end))
    place = next(begun, place)
    for known in _AT_THE_ERROR:
        match = known.pattern.match(text, place, end)
        if match:
            return _known_fault(text, start, known, match)
    escaped = _ESCAPED_BEFORE.search(text, start, place)
    if escaped:
        message = "invalid character `\\`: it does not keep a quote inside of a string"
        return Fault("F110", escaped.start(), escaped.start() + 2, message, "a string cannot hold a double quote")
    digits = _DIGITS_BEFORE.search(text, start, place)
    if digits and (text[place].isalpha() or text[place] in "._"):
        return _bad_number(text, digits.start(), place, end)
    word = _WORD.match(text, place, end)
    found = word.group() if word else text[place]
    begin = first_character(text, start, end)
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


def _known_fault(text: str, start: int, known: _Known, match: re.Match[str]) -> Fault:
    if match.group().startswith("[") and re.search(r"[\w)]\s*\Z", text[start : match.start()], re.ASCII):
        hint = "the first element of a vector v is val(v, 0)"
        return Fault(known.code, match.start(), match.end(), "there is no indexing with [ ]", hint)
    edits = () if known.mended is None else (Edit(match.start(), match.end(), match.expand(known.mended)),)
    return Fault(known.code, match.start(), match.end(), known.message, known.hint, edits=edits)


def first_character(text: str, start: int, end: int) -> int:
    """The offset of the first character that is neither blank nor comment."""
    return next((match.start() for match in _CODE.finditer(text, start, end) if match.group("code")), end)


def _code_end(text: str, start: int, end: int) -> int:
    """The offset behind the last character that is neither blank nor comment."""
    ends = (match.end() for match in _CODE.finditer(text, start, end) if match.group("code"))
    return max(ends, default=start)


def _at_the_end(text: str, start: int, end: int) -> Fault:
    opening = _unclosed(text, start, end)
    if opening is not None:
        return Fault("F113", opening, opening + 1, "this parenthesis is not closed", "add the missing )")
    last = _code_end(text, start, end)
    place = max(start, last - 1)
    return Fault("F117", place, max(place + 1, last), "the statement ends in the middle of an expression")


def _interrupted(text: str, start: int, place: int) -> Fault | None:
    """An unfinished statement before the one that begins with the line of the `=` at `place`."""
    if not text.startswith("=", place) or text.startswith("==", place):
        return None
    name = _NAME_BEFORE.search(text, start, place)
    if name is None or _unclosed(text, start, name.start(1)) is not None:
        return None
    if first_character(text, start, place) == name.start(1):
        return None
    return replace(_at_the_end(text, start, name.start(1)), resume=name.start(1))


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
        decimal = str(int(shown, 16))
        edit = Edit(start, stop, decimal)
        return Fault("F116", start, stop, f"`{shown}` is not a decimal number", f"write {decimal}", edits=(edit,))
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
    code_end = _code_end(text, start, place)
    return Fault(
        "F105",
        code_end,
        code_end + 1,
        f"`;` is missing here, before `{found}`",
        "every statement but the last ends with `;`",
        resume=place,
        edits=(Edit(code_end, code_end, ";"),),
    )
