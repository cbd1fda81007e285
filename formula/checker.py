"""Names, types and assignments. Reports everything it finds, and gives every expression its type.

The language has no loops, so types are known statement by statement: a variable has the type of its last
assignment. What passes here cannot fail for its types at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .codes import CODES
from .diagnostics import Diagnostic, DiagnosticList, Edit
from .expression_types import ExpressionTypes, bare, type_hint
from .parser import Parsed
from .source import Source
from .spelling import certain, did_you_mean
from .syntax import Assignment, BareExpression, Call, Member, MethodCall, Name, Statement, String, Unparsed, postorder
from .value_types import DOUBLE, NOTHING, OPTION, TypeSet, describe
from .variables import ABSENT, DEALLOCATION_OPTION, INTERVALS, KNOWN_NAMES, METRICS, OPTIONS, RENAMED, TARGETS


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    statement: Statement
    types: TypeSet
    #: The errors of this statement; it must not run if there are any.
    errors: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class CheckedProgram:
    source: Source
    statements: tuple[CheckedStatement, ...]
    #: The types of each expression, by the identity of its node.
    types: Mapping[int, TypeSet]
    diagnostics: tuple[Diagnostic, ...]


def check_program(parsed: Parsed) -> CheckedProgram:
    """Never raises; syntax errors are passed on among the diagnostics."""
    return _Checker(parsed.source).run(parsed)


_LOWER_CASE = {name.lower(): name for name in KNOWN_NAMES}


class _Checker:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._findings = DiagnosticList(source)
        self._errors: list[Diagnostic] = []
        self._variables: dict[str, TypeSet] = {}
        self._expressions = ExpressionTypes(self._variables, self._report)
        self._statements: tuple[Statement, ...] = ()

    def _report(
        self, code: str, start: int, end: int, message: str, hint: str | None = None, edits: tuple[Edit, ...] = ()
    ) -> None:
        self._findings.add(code, start, end, message, hint, edits)
        if CODES[code].severity == "error":
            self._errors.append(Diagnostic(code, message, hint, start, end, self._source, edits))

    def run(self, parsed: Parsed) -> CheckedProgram:
        checked = []
        self._statements = parsed.statements
        for statement in parsed.statements:
            self._errors = []
            types = self._statement(statement)
            checked.append(CheckedStatement(statement, types, tuple(self._errors)))
        for found in parsed.diagnostics:
            self._findings.add(found.code, found.start, found.end, found.message, found.hint, found.edits)
        return CheckedProgram(self._source, tuple(checked), self._expressions.types, self._findings.sorted())

    def _statement(self, statement: Statement) -> TypeSet:
        if isinstance(statement, Unparsed):
            if statement.name is not None and statement.name not in KNOWN_NAMES:
                self._variables[statement.name] = NOTHING
            return NOTHING
        nodes = list(postorder(statement.value))
        receivers = {id(bare(node.receiver)) for node in nodes if isinstance(node, MethodCall | Member)}
        # In max(0, $PendingTasks) there is a number already for the case that there is no sample.
        largest = [node.arguments for node in nodes if isinstance(node, Call) and node.function == "max"]
        beside_numbers = {id(argument) for arguments in largest if len(arguments) > 1 for argument in arguments}
        for node in nodes:
            self._expressions.visit(node)
            if isinstance(node, Name) and node.name in METRICS and id(node) not in receivers:
                self._bare_metric(node, id(node) in beside_numbers)
        types = self._expressions.types[id(statement.value)]
        if isinstance(statement, BareExpression):
            if types & OPTION:
                self._misplaced_option(statement)
            return types
        self._assignment(statement, types)
        return types

    def _bare_metric(self, node: Name, beside_number: bool) -> None:
        """Node counts and task slots are numbers; for other metrics no document says so."""
        if METRICS[node.name].field is None:
            newest = f"{node.name}.GetSample(1)"
            meant = newest if beside_number else f"max(0, {newest})"
            self._report(
                "F310",
                node.start,
                node.end,
                f"{node.name} as a number is not documented; it is taken as the newest sample",
                f"write {meant}",
                (Edit(node.start, node.end, meant),),
            )

    def _assignment(self, statement: Assignment, types: TypeSet) -> None:
        name = statement.name
        if name in TARGETS:
            self._target(statement, types)
        elif name == DEALLOCATION_OPTION:
            self._option(statement, types)
        elif name in METRICS:
            self._refuse_name(
                "F206", statement, f"{name} is read-only", "assign to a variable with another name"
            )
        elif name in INTERVALS or name in OPTIONS:
            self._refuse_name("F206", statement, f"{name} is a reserved word", "choose another name")
        elif name in ABSENT:
            edit = Edit(statement.start, statement.name_end, RENAMED[name])
            self._refuse_name("F205", statement, f"there is no variable {name}", ABSENT[name], (edit,))
        else:
            if types & OPTION:
                self._misplaced_option(statement)
                types = NOTHING
            service_name = _LOWER_CASE.get(name.lower()) if name.startswith("$") else None
            if service_name and name not in self._variables:
                self._report(
                    "F207",
                    statement.start,
                    statement.name_end,
                    f"{name} is a variable of the formula's own, not {service_name}",
                    f"did you mean {service_name}? Upper and lower case count",
                    self._renaming(name, service_name),
                )
            self._variables[name] = types

    def _renaming(self, name: str, service_name: str) -> tuple[Edit, ...]:
        """Edits for every place of a name that was meant to be a target; none where that would be a guess."""
        if service_name not in TARGETS and service_name != DEALLOCATION_OPTION:
            return ()
        places: list[int] = []
        for statement in self._statements:
            if isinstance(statement, Unparsed) or (
                isinstance(statement, Assignment) and statement.name == service_name
            ):
                return ()
            if isinstance(statement, Assignment) and statement.name == name:
                places.append(statement.start)
            nodes = postorder(statement.value)
            places += [node.start for node in nodes if isinstance(node, Name) and node.name == name]
        return tuple(Edit(place, place + len(name), service_name) for place in places)

    def _refuse_name(
        self, code: str, statement: Assignment, message: str, hint: str, edits: tuple[Edit, ...] = ()
    ) -> None:
        self._report(code, statement.start, statement.name_end, message, hint, edits)

    def _target(self, statement: Assignment, types: TypeSet) -> None:
        if types & ~DOUBLE:
            value = statement.value
            self._report(
                "F305",
                value.start,
                value.end,
                f"{statement.name} must be a number, not {describe(types)}",
                type_hint(types),
            )

    def _option(self, statement: Assignment, types: TypeSet) -> None:
        if not types & ~OPTION:
            return
        value = statement.value
        words = ", ".join(OPTIONS)
        hint = f"use one of {words}"
        edits: tuple[Edit, ...] = ()
        if isinstance(value, String):
            word = value.value.strip().lower()
            hint = f"write {word}, without quotes" if word in OPTIONS else did_you_mean(word, OPTIONS) or hint
            meant = RENAMED.get(word) or certain(word, OPTIONS)
            edits = (Edit(value.start, value.end, meant),) if meant else ()
        elif isinstance(value, Name):
            hint = did_you_mean(value.name, OPTIONS) or hint
        self._report(
            "F306",
            value.start,
            value.end,
            f"{DEALLOCATION_OPTION} takes one of the words {words}, not {describe(types)}",
            hint,
            edits,
        )

    def _misplaced_option(self, statement: Assignment | BareExpression) -> None:
        self._report(
            "F307",
            statement.value.start,
            statement.value.end,
            f"the words {', '.join(OPTIONS)} can be assigned only to {DEALLOCATION_OPTION}",
            f"write {DEALLOCATION_OPTION} = taskcompletion",
        )
