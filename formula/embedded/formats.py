"""Which documents are read how: by the end of the file's name, else by what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..source import Source
from .formula_text import DocumentReading, FormulaText
from .scenarios import may_be_scenario

Reader = Callable[[str, Source], DocumentReading]

_CALLED_TERRAFORM = re.compile(r'^[ \t]*resource\s+"azurerm_batch_pool"', re.M)
_CALLED_BICEP = re.compile(r"^[ \t]*resource\s+\w+\s+'Microsoft\.Batch/", re.M | re.I)
_CALLED_YAML = re.compile(r"^[ \t-]*[\"']?autoScaleFormula[\"']?\s*:", re.M | re.I)
_BLANK = re.compile(r"(?:\s|//[^\r\n]*|/\*.*?\*/)*", re.S)


def read_as_formula(file: str, document: Source) -> DocumentReading:
    """A document that is a formula, whole."""
    formulas = (FormulaText(file, document.text, document),) if document.text.strip() else ()
    return DocumentReading(document, formulas, (), "a formula; the file is empty")


def _json(file: str, document: Source) -> DocumentReading:
    from .json_documents import read_json

    return read_json(file, document)


def _terraform(file: str, document: Source) -> DocumentReading:
    from .terraform_documents import read_terraform

    return read_terraform(file, document)


def _bicep(file: str, document: Source) -> DocumentReading:
    from .bicep_documents import read_bicep

    return read_bicep(file, document)


def _yaml(file: str, document: Source) -> DocumentReading:
    from .yaml_documents import read_yaml

    return read_yaml(file, document)


# Files of these names are formulas, whatever they hold.
_FORMULAS_ALONE = (".formula", ".autoscale")
_BY_EXTENSION: Mapping[str, Reader] = {
    **dict.fromkeys(_FORMULAS_ALONE, read_as_formula),
    ".json": _json,
    ".jsonc": _json,
    ".tf": _terraform,
    ".bicep": _bicep,
    ".yaml": _yaml,
    ".yml": _yaml,
}

#: Ends of the names of files that may hold formulas, in lower case.
EXTENSIONS = tuple(_BY_EXTENSION)


def reader_of(file: str, content: str) -> Reader:
    """How a document is read. Files of any other name are formulas, unless they are plainly something else."""
    name = file.lower()
    for extension, reader in _BY_EXTENSION.items():
        if name.endswith(extension):
            return reader
    blank = _BLANK.match(content)
    if content[blank.end() if blank else 0 :][:1] in ("{", "["):
        return _json
    if _CALLED_TERRAFORM.search(content):
        return _terraform
    if _CALLED_BICEP.search(content):
        return _bicep
    if _CALLED_YAML.search(content):
        return _yaml
    return read_as_formula


def may_hold_formulas(file: str, content: str) -> bool:
    """Whether it is worth while to read a document that nobody named."""
    lower = content.lower()
    mentions = "formula" in lower and ("autoscale" in lower or "auto_scale" in lower)
    return mentions or file.lower().endswith(_FORMULAS_ALONE) or may_be_scenario(content)
