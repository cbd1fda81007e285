"""Where the lines of a statement may be broken: what the tree says of the tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..syntax import (
    Assignment,
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Statement,
    Ternary,
    Unary,
)
from .tokens import Tokens

INDENT = 4
_Operation = Chain | Logic | Ternary


class Breaks:
    """For every token: the blank before it, and where the line before it may be broken.

    Tokens form groups, one inside the other; a group is wholly on one line, or broken at all its places. `blank`: ""
    or " " before a token on the same line. `group`: the group that breaks before the token, or None. `indent`: the
    columns before the token if it does. `opened`: the groups that begin with the token, widest first. `last`: the last
    token of every group.
    """

    def __init__(self, tokens: Tokens, statements: Sequence[Statement]) -> None:
        count = len(tokens.items)
        self.tokens = tokens
        self.blank = [""] * count
        self.group: list[int | None] = [None] * count
        self.indent = [0] * count
        self.opened: list[list[int]] = [[] for _ in range(count)]
        self.last: list[int] = []
        for statement in statements:
            self._read_statement(statement)

    def _read_statement(self, statement: Statement) -> None:
        if isinstance(statement, Assignment):
            equals = self.tokens.at(statement.name_end)
            self.blank[equals] = self.blank[equals + 1] = " "
        # A stack instead of recursion: no nesting meets Python's limits.
        stack: list[tuple[Expression, int, bool]] = [(statement.value, 0, False)]  # type: ignore[union-attr]
        while stack:
            stack.extend(self._read(*stack.pop()))

    def _read(self, node: Expression, indent: int, enclosed: bool) -> Iterator[tuple[Expression, int, bool]]:
        """Reads one node, and gives its parts, each with its indentation.

        `enclosed`: parentheses around it are broken with it, and indent it enough.
        """
        match node:
            case Group(inner=inner) if isinstance(inner, _Operation):
                opening, closing = self._ends(node)
                self._enclose(opening, closing, indent)
                yield inner, indent + INDENT, True
            case Group(inner=inner):
                yield inner, indent, False
            case Unary(operand=operand):
                place = self.tokens.at(operand.start)
                if node.operator == "-" and self.tokens.items[place].text == "-":
                    self.blank[place] = " "  # `--` looks like an operator that does not exist
                yield operand, indent, False
            case Chain(operands=operands) | Logic(operands=operands):
                group = self._open(*self._ends(node))
                inside = indent if enclosed else indent + INDENT
                for operand in operands[:-1]:
                    self._break_at_operator(operand, group, inside)
                yield operands[0], self._first(operands[0], inside, enclosed), False
                for operand in operands[1:]:
                    yield operand, inside, False
            case Ternary():
                yield from self._read_ternary(node, indent if enclosed else indent + INDENT, enclosed)
            case Call(arguments=arguments):
                yield from self._read_arguments(self._ends(node)[0] + 1, node, arguments, indent)
            case MethodCall(arguments=arguments):
                yield node.receiver, indent, False
                yield from self._read_arguments(self.tokens.at(node.parenthesis), node, arguments, indent)
            case Member(receiver=receiver):
                yield receiver, indent, False

    def _read_ternary(
        self, node: Ternary, inside: int, enclosed: bool
    ) -> Iterator[tuple[Expression, int, bool]]:
        """`c ? a : b` in up to three lines, and `c ? a : d ? b : e` with a line for each pair."""
        group = self._open(*self._ends(node))
        pairs = isinstance(node.otherwise, Ternary)
        yield node.condition, self._first(node.condition, inside, enclosed), False
        arm: Expression = node
        while isinstance(arm, Ternary):
            if pairs:
                pair = self._open(self.tokens.at(arm.condition.start), self.tokens.at(arm.then.end) - 1)
                self._break_at_operator(arm.condition, pair, inside + INDENT)
                yield arm.then, inside + INDENT, False
            else:
                self._break_at_operator(arm.condition, group, inside)
                yield arm.then, inside, False
            self._break_at_operator(arm.then, group, inside)
            arm = arm.otherwise
            yield (arm.condition if isinstance(arm, Ternary) else arm), inside, False

    def _read_arguments(
        self, opening: int, call: Expression, arguments: Sequence[Expression], indent: int
    ) -> Iterator[tuple[Expression, int, bool]]:
        if not arguments:
            return
        group = self._enclose(opening, self._ends(call)[1], indent)
        for argument in arguments[:-1]:
            following = self.tokens.at(argument.end) + 1
            self._break(following, group, indent + INDENT)
            self.blank[following] = " "
        for argument in arguments:
            yield argument, indent + INDENT, len(arguments) == 1

    def _first(self, operand: Expression, inside: int, enclosed: bool) -> int:
        """The indentation of a first operand: what it breaks itself must not look like the other operands."""
        return inside + INDENT if enclosed and isinstance(operand, _Operation) else inside

    def _ends(self, node: Expression) -> tuple[int, int]:
        return self.tokens.at(node.start), self.tokens.at(node.end) - 1

    def _open(self, first: int, last: int) -> int:
        group = len(self.last)
        self.last.append(last)
        self.opened[first].append(group)
        return group

    def _enclose(self, opening: int, closing: int, indent: int) -> int:
        group = self._open(opening, closing)
        self._break(opening + 1, group, indent + INDENT)
        self._break(closing, group, indent)
        return group

    def _break(self, token: int, group: int, indent: int) -> None:
        self.group[token] = group
        self.indent[token] = indent

    def _break_at_operator(self, operand: Expression, group: int, indent: int) -> None:
        """The operator behind an operand begins a line."""
        operator = self.tokens.at(operand.end)
        self._break(operator, group, indent)
        self.blank[operator] = self.blank[operator + 1] = " "
