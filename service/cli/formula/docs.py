from __future__ import annotations

import json

import click
from click.shell_completion import CompletionItem

from ..door import BadInput
from ..options import json_option


def _names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names that begin so, for the shell."""
    from formula.reference import entries

    begun = incomplete.lower().removeprefix("$")
    return [
        CompletionItem(entry.name, help=entry.summary)
        for entry in entries().values()
        if entry.name.lower().removeprefix("$").startswith(begun)
    ]


@click.command()
@click.argument("name", required=False, shell_complete=_names)
@click.option("--markdown", is_flag=True, help="Print the whole reference as Markdown.")
@json_option
def docs(name: str | None, markdown: bool, as_json: bool) -> None:
    """Explain a variable, function, method, constant, operator or finding; without a name, list them all.

    Examples: `ebbtide formula docs GetSample`, `ebbtide formula docs F401`.
    """
    from formula.reference import as_text, entries, find, findings_as_markdown, names_as_markdown, overview, similar

    if name is None:
        if as_json:
            click.echo(json.dumps([entry.to_json() for entry in entries().values()], indent=2))
        elif markdown:
            click.echo(f"{names_as_markdown()}\n{findings_as_markdown()}", nl=False)
        else:
            click.echo_via_pager(overview() + "\n\n`ebbtide formula docs NAME` tells more.\n")
        return
    if markdown:
        raise click.UsageError("--markdown prints the whole reference; leave NAME out")
    entry = find(name)
    if entry is None:
        near = similar(name)
        hint = f"; did you mean {near}?" if near else "; `ebbtide formula docs` lists every name"
        raise BadInput(f"the language has no {name!r}{hint}")
    click.echo(json.dumps(entry.to_json(), indent=2) if as_json else as_text(entry))
