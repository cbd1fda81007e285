from __future__ import annotations

import sys
from pathlib import Path

import click

from .door import BadInput
from .options import config_option, read_settings, state_option
from .tell import heard_or_not, tell

#: What a first pool may be made with, on the machine itself.
FIRST_POOL = (
    "az batch pool create --id first --vm-size standard_d2s_v3 --target-dedicated-nodes 1 "
    "--image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id 'batch.node.ubuntu 22.04'"
)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where clients reach it; 127.0.0.1:8470 if nothing is said.")
@click.option("--tls", is_flag=True, help="https, with a self-signed certificate if none is given.")
@click.option("--certificate", type=_FILE, help="PEM file of the certificate; means --tls.")
@click.option("--certificate-key", type=_FILE, help="PEM file of its key.")
@click.option("--plain-http", is_flag=True, help="Listen off loopback without TLS all the same.")
@config_option
@state_option
def serve(
    listen: str | None,
    tls: bool,
    certificate: Path | None,
    certificate_key: Path | None,
    plain_http: bool,
    config: Path | None,
    state: Path,
) -> None:
    """Run pools and jobs, and serve the Azure Batch REST API.

    The first Ctrl-C (or SIGTERM) lets answers under way end; nodes and their tasks run on. The second leaves at once.
    """
    from msgspec.structs import replace

    from ..listening import ListenError
    from ..provider_options import check_directories, check_idle_timeouts
    from ..server import Server, listening_of
    from ..state import StateDirectory

    settings = read_settings(config)
    said = settings.server
    settings = replace(
        settings,
        server=replace(
            said,
            listen=listen or said.listen,
            tls=tls or said.tls,
            certificate=str(certificate) if certificate is not None else said.certificate,
            certificate_key=str(certificate_key) if certificate_key is not None else said.certificate_key,
            plain_http=plain_http or said.plain_http,
        ),
    )
    directory = StateDirectory(state)
    directory.check()
    check_idle_timeouts(settings)
    check_directories(directory, settings)
    try:
        listening = listening_of(settings.server)
        with directory.lock("or use another --state", serving=True):
            code = Server(directory, settings, listening, lambda line: tell(line, err=True), _print_first).work()
    except ListenError as exc:
        raise BadInput(str(exc)) from None
    sys.exit(code)


def _print_first(lines: str) -> None:
    """For whoever starts a server for the first time: what a client needs, and what may be tried."""
    with heard_or_not():
        click.echo(lines)
        click.echo(FIRST_POOL)
        sys.stdout.flush()
