"""Reading case files. The format is told in docs/formula-testing.md."""

from __future__ import annotations

import re
from pathlib import Path

from .case import Case, CaseFile, CaseFileError
from .case_draft import CaseDraft, DraftError

_COMMENT = re.compile(r'((?:[^"/]|"[^"]*"|/(?!/))*?)(?:(?:^|\s)//.*)?', re.DOTALL)


def read_case_file(path: Path) -> CaseFile:
    """The cases of a file. Raises CaseFileError with everything that is wrong with it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as reason:
        raise CaseFileError([f"{path}: {reason.strerror or reason}"]) from None
    except UnicodeDecodeError:
        raise CaseFileError([f"{path}: is not UTF-8; save the file as UTF-8"]) from None
    return read_cases(str(path), text, path.parent)


def read_cases(file: str, text: str, folder: Path) -> CaseFile:
    """The cases of a text. `file`: its name for messages; `folder`: where the files that it names are.

    Raises CaseFileError with everything that is wrong with it.
    """
    reader = _Reader(file, text, folder)
    cases = reader.read()
    if reader.problems:
        raise CaseFileError(list(dict.fromkeys(reader.problems)))
    return CaseFile(file, text, cases)


class _Reader:
    def __init__(self, file: str, text: str, folder: Path) -> None:
        self._file = file
        self._text = text
        self._lines = text.splitlines()
        self._shared = CaseDraft(file, text, folder)
        self._draft = self._shared
        self._cases: list[Case] = []
        self._is_sound = self._shared_is_sound = True
        self.problems: list[str] = []

    def read(self) -> tuple[Case, ...]:
        number = 1
        while number <= len(self._lines):
            number = self._line(number)
        self._complete()
        if not self._cases and not self.problems:
            self._problem(1, "there is no case in it; write `case` and its name, and below it what to expect")
        return tuple(self._cases)

    def _problem(self, line: int, message: str) -> None:
        self._is_sound = False
        if self._draft is self._shared:
            self._shared_is_sound = False
        self.problems.append(f"{self._file}:{line}: {message}")

    def _line(self, number: int) -> int:
        """Read a line, and what belongs to it; the number of the next one."""
        line = self._lines[number - 1]
        match = _COMMENT.fullmatch(line)
        word, _, rest = (match[1] if match else line).strip().partition(" ")
        # A colon behind the first word is as good as none.
        word, rest = word.removesuffix(":"), rest.strip()
        last = number
        if word == "formula" and not rest:
            last = self._block_end(number)
        try:
            if word == "case":
                self._complete()
                self._is_sound = self._shared_is_sound
                self._draft = self._shared.begin_case(number, rest)
            elif word == "formula" and not rest:
                self._draft.set_block(number, last)
            elif word:
                self._draft.set(number, word, rest)
        except ValueError as reason:
            self._problem(number, str(reason))
        return last + 1

    def _block_end(self, number: int) -> int:
        """The last line of the block of lines that are indented deeper than this one."""
        indent = _indent(self._lines[number - 1])
        last = number
        for index in range(number, len(self._lines)):
            line = self._lines[index]
            if line.strip():
                if _indent(line) <= indent:
                    break
                last = index + 1
        return last

    def _complete(self) -> None:
        """The case that was read until here, if one was; not one with a bad line, from which the rest may follow."""
        if self._draft is self._shared or not self._is_sound:
            return
        try:
            self._cases.append(self._draft.complete())
        except DraftError as reason:
            self._problem(reason.line, str(reason))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
