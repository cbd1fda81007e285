"""What other languages write and this one refuses, wherever it stands: comments, quotes and blanks.

They are reported here and replaced by what was meant, character for character, so that what they say is not parsed,
what follows them is, and every offset stays right.
"""

from __future__ import annotations

import re

from .diagnostics import DiagnosticList, Edit

_FOREIGN = re.compile(
    r'"[^"\r\n]*"|//[^\r\n]*'
    # An expression of an ARM template that was not computed; its quotes are its own.
    r"|\[(?:parameters|variables|concat|format|reference)\([^\r\n;]*\)\]"
    r"|(?P<hash>#[^\r\n]*)"
    r"|(?P<block>/\*(?s:.*?)\*/)"
    r"|(?P<single>'[^'\"\r\n]*')"
    r"|(?P<typographic>[\u201c\u201d\u201e][^\"\u201c\u201d\u201e\r\n]*[\u201c\u201d]"
    r"|[\u2018\u2019][^\"\u2018\u2019\r\n]*[\u2018\u2019])"
    r'|(?P<escaped>\\"[^"\\\r\n]*\\")'
    r"|(?P<invisible>[\u00a0\u2000-\u200d\u202f\u2060\u3000\ufeff]+)"
)
_COMMENTS = {"hash": ("F107", "`#`"), "block": ("F108", "`/*`")}
_BLANK = re.compile(r"[^\r\n]")
# A line of a block comment without the marks and stars at its edges.
_COMMENT_LINE = re.compile(r"[ \t]*(?:/\*+|\*+(?!/))?[ \t]*(?P<words>.*?)[ \t]*(?:\**\*/)?")


def without_foreign_text(text: str, findings: DiagnosticList, most: int) -> str:
    """The text as it was meant. Reports until there are `most` findings."""
    invisible: list[Edit] = []

    def meant(match: re.Match[str]) -> str:
        kind, found, start, end = match.lastgroup, match.group(), match.start(), match.end()
        if kind is None:
            return found
        if kind == "invisible":
            blank = "" if set(found) <= {"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"} else " "
            invisible.append(Edit(start, end, blank * len(found)))
            return " " * len(found)
        if kind in _COMMENTS:
            if len(findings) < most:
                code, shown = _COMMENTS[kind]
                findings.add(
                    code,
                    start,
                    end,
                    f"invalid character {shown}: it does not start a comment",
                    "comments start with // and go to the end of the line",
                    (_comment(text, match),),
                )
            return _BLANK.sub(" ", found)
        if len(findings) < most:
            _quotes(match, findings)
        return f' "{found[2:-2]}" ' if kind == "escaped" else f'"{found[1:-1]}"'

    changed = _FOREIGN.sub(meant, text)
    if invisible and len(findings) < most:
        first = invisible[0]
        places = f", in {len(invisible)} places" if len(invisible) > 1 else ""
        findings.add(
            "F106",
            first.start,
            first.end,
            f"invalid character: an invisible one, pasted from elsewhere{places}",
            "replace it by a blank",
            tuple(invisible),
        )
    return changed


def _comment(text: str, match: re.Match[str]) -> Edit:
    """The same comment behind `//`, on lines of its own where it had several or code behind it."""
    if match.lastgroup == "hash":
        return Edit(match.start(), match.start() + 1, "//")
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = [_COMMENT_LINE.fullmatch(line) for line in match.group().splitlines()]
    words = [line["words"] if line else "" for line in lines]
    while len(words) > 1 and not words[-1]:
        words.pop()
    while len(words) > 1 and not words[0]:
        words.pop(0)
    commented = line_end.join(f"// {line}".rstrip() for line in words)
    follows = re.match(r"[^\r\n]*", text[match.end() :])
    code_behind = follows is not None and follows.group().strip()
    return Edit(match.start(), match.end(), commented + (line_end if code_behind else ""))


def _quotes(match: re.Match[str], findings: DiagnosticList) -> None:
    start, end = match.start(), match.end()
    if match.lastgroup == "escaped":
        findings.add(
            "F110",
            start,
            end,
            "invalid character `\\`: the quotes were escaped twice or never unescaped",
            'write plain double quotes: "..."',
            (Edit(start, start + 1, ""), Edit(end - 2, end - 1, "")),
        )
        return
    typographic = match.lastgroup == "typographic"
    findings.add(
        "F109",
        start,
        end,
        "a typographic quote is no quote" if typographic else "strings stand in double quotes",
        'write plain double quotes: "..."',
        (Edit(start, start + 1, '"'), Edit(end - 1, end, '"')),
    )
