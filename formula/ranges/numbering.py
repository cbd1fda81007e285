"""Equal expressions get equal numbers, whatever names their values went through.

An evaluation is a function of its samples, so an expression that is computed twice has the same value twice, unless it
calls rand(). What a condition says of a number then holds for every place where that number stands.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from ..checker import CheckedProgram
from ..operators import COMPARISONS
from ..syntax import (
    Assignment,
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    String,
    Unary,
    Unparsed,
    children,
    postorder,
)
from ..value_types import NOTHING
from ..variables import TARGETS, assigned_target, current_name


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is computed: an operator of `&& || ! < <= == >= > !=` and its operands; "" for all else."""

    operator: str
    operands: tuple[int, ...] = ()


_PLAIN = Form("")


@dataclass(slots=True)
class Numbering:
    """`numbers`: by the identity of each node. `definitions`: of each name that is read, the assignment that counts.

    `unknown`: the offsets of the numbers whose value nobody knows.
    """

    unknown: frozenset[int] = frozenset()
    numbers: dict[int, int] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)
    definitions: dict[int, Assignment] = field(default_factory=dict)
    _known: dict[Hashable, int] = field(default_factory=dict)

    def number(self, key: Hashable, form: Form = _PLAIN) -> int:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.forms)
            self.forms.append(form)
        return found


def number_program(checked: CheckedProgram, unknown: frozenset[int] = frozenset()) -> Numbering:
    """Number every expression. `unknown`: see `Numbering`."""
    numbering = Numbering(unknown)
    assigned: dict[str, Assignment] = {}
    for item in checked.statements:
        statement = item.statement
        if isinstance(statement, Unparsed):
            continue
        for node in postorder(statement.value):
            if checked.types.get(id(node), NOTHING) == NOTHING:
                number = numbering.number(("nothing", id(node)))
            elif isinstance(node, Number) and node.start in unknown:
                number = numbering.number(("unknown", node.start))
            else:
                number = _number(node, numbering, assigned)
            numbering.numbers[id(node)] = number
        if isinstance(statement, Assignment):
            assigned[statement.name] = statement
    return numbering


def defining(name: str, assigned: dict[str, Assignment]) -> Assignment | None:
    """The assignment whose value a read of the name gets; an alias of a target reads what either name was given."""
    if name in TARGETS and name not in assigned:
        other = assigned_target(assigned, TARGETS[name].full_name)
        return assigned[other] if other is not None else None
    return assigned.get(name)


def _number(node: Expression, numbering: Numbering, assigned: dict[str, Assignment]) -> int:
    match node:
        case Number(value=value):
            return numbering.number(("number", value))
        case String(value=text):
            return numbering.number(("string", text))
        case Name(name=name):
            definition = defining(name, assigned)
            if definition is not None:
                numbering.definitions[id(node)] = definition
                return numbering.numbers[id(definition.value)]
            return numbering.number(("name", current_name(name)))
        case Group(inner=inner):
            return numbering.numbers[id(inner)]
        case _:
            parts = tuple([numbering.numbers[id(part)] for part in children(node)])
            key, form = _shape(node, parts)
            return numbering.number((key, parts), form)


def _shape(node: Expression, parts: tuple[int, ...]) -> tuple[Hashable, Form]:
    """What a value is, beside its parts."""
    match node:
        case Unary(operator=operator):
            return ("unary", operator), Form(operator, parts) if operator == "!" else _PLAIN
        case Chain(operators=operators):
            single = len(operators) == 1 and operators[0] in COMPARISONS
            return operators, Form(operators[0], parts) if single else _PLAIN
        case Logic(operator=operator):
            return ("logic", operator), Form(operator, parts)
        case Call(function=function):
            return ("call", function, id(node) if function in ("rand", "stop") else None), _PLAIN
        case MethodCall(method=method):
            return ("method", method), _PLAIN
        case Member(member=member):
            return ("member", member), _PLAIN
        case _:
            return type(node).__name__, _PLAIN
