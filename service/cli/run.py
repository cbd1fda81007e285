from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import config_option, json_option, read_settings, state_option
from .tell import heard_or_not, tell
from .workloads import param_option

if TYPE_CHECKING:
    from ..controller import Controller
    from ..preflight import Preflight
    from ..report import Report
    from ..views import Pump


@click.command()
@click.argument("workload", type=click.Path(path_type=Path))
@param_option
@click.option(
    "--occurrences",
    type=click.IntRange(min=1),
    metavar="N",
    help="Let every job schedule make at most N jobs in all; without it a recurrent schedule never ends.",
)
@state_option
@config_option
@json_option
@click.option("--plain", is_flag=True, help="Lines instead of the live view, also on a terminal.")
def run(
    workload: Path,
    parameters: dict[str, str],
    occurrences: int | None,
    state: Path,
    config: Path | None,
    as_json: bool,
    plain: bool,
) -> None:
    """Run a workload file until its work is done and its pools are at zero.

    The same command again goes on where an earlier one was, even if that was killed. Exit code 0: every task
    succeeded, or failed as its exit conditions allow, and no VM is left; 1: one failed, or work is left that cannot
    be done, or a VM may be; 2: bad input.
    """
    from pools import pool_options

    from ..controller import Controller
    from ..offers import offer
    from ..pool_info_checks import all_pools
    from ..preflight import Preflight, nodes_on_record
    from ..provider_options import boot_doubts, check_directories, check_idle_timeouts, open_providers, provider_options
    from ..state import StateDirectory
    from ..unasked_root import unasked_root
    from ..workload_file import load_workload

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.check()
    check_idle_timeouts(settings)
    check_directories(directory, settings)
    providers, options = open_providers(directory, settings), provider_options(directory, settings)
    offers = {name: offer(provider, options[name]) for name, provider in providers.items()}
    loaded = load_workload(workload, settings, offers, parameters)
    used = {pool_options(pool.metadata).provider or settings.default_provider for pool in all_pools(loaded.spec)}
    slow = (boot_doubts(settings, name, options[name], offers[name].profile) for name in sorted(used))
    doubts = (*slow, unasked_root(loaded.spec, settings, offers))
    for warning in (*loaded.warnings, *(f"warning: {doubt}" for doubt in doubts if doubt is not None)):
        tell(f"ebbtide: {warning}", err=True)
    with directory.lock("or use another --state"):
        preflight = Preflight(all_pools(loaded.spec), settings.default_provider, offers, options)
        goes_on = preflight.needed and nodes_on_record(directory)
        if not goes_on:
            _refuse(preflight)
        desk = _Desk(workload, as_json=as_json, plain=plain)
        controller = Controller(
            directory, settings, end_idle_pools=True, occurrences=occurrences, observe=desk.observe
        )
        desk.open(controller)
        for line in controller.apply(loaded):
            tell(f"ebbtide: {line}", err=True)
        if goes_on:
            desk.tell(preflight)
        code = desk.work(controller)
    sys.exit(code)


def _refuse(preflight: Preflight) -> None:
    """Nothing is there yet that anybody would have to end. Raises ProviderError if that is to stay so."""
    doubts = preflight.doubts()
    refusal = next((doubt.refusal for doubt in doubts if doubt.refusal is not None), None)
    if refusal is not None:
        raise refusal("\n".join(doubt.text for doubt in doubts))
    for doubt in doubts:
        tell(f"ebbtide: warning: {doubt.text}", err=True)


class _Desk:
    """One run, from the first line to the exit code."""

    def __init__(self, workload: Path, *, as_json: bool, plain: bool) -> None:
        self._workload = workload
        self._as_json = as_json
        self._plain = plain
        self._pump: Pump | None = None
        self._interrupts = 0
        #: why nothing goes on, since that is so
        self._stuck: tuple[str, ...] = ()

    def observe(self, changes: Any) -> None:
        if self._pump is not None:
            self._pump.observe(changes)

    def open(self, controller: Controller) -> None:
        """Take down what is there before anything is asked for."""
        from ..clock import now
        from ..views.screen import open_pump

        tables, done = controller.core.tables(), controller.journal.task_queries.totals()
        self._pump = open_pump(
            tables, done, now(), controller.state.path, as_json=self._as_json, plain=self._plain
        )

    def tell(self, preflight: Preflight) -> None:
        """What the clouds lack, when that is known: there are nodes to be worked with, or to be ended, all the same."""

        def wait() -> None:
            for doubt in preflight.doubts():
                self._say(doubt.text, "bad")

        threading.Thread(target=wait, name="preflight", daemon=True).start()

    def work(self, controller: Controller) -> int:
        """Run until all is done, somebody interrupts, or nothing can go on; then say what was."""
        assert self._pump is not None
        self._pump.start()
        handlers = {
            number: signal.signal(number, lambda number, _: self._interrupt(controller, number))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            controller.run(lambda: self._done(controller))
            if self._interrupts > 1:
                self._leave_at_once(controller)
        finally:
            controller.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._pump.close()
        return self._end(controller)

    def _done(self, controller: Controller) -> bool:
        if self._interrupts or self._stuck:
            return controller.node_count() == 0
        self._stuck = controller.stuck()
        if self._stuck:
            from pools import NodeDeallocationOption

            self._say("cannot go on without help, ending the pools", "bad")
            controller.drain(NodeDeallocationOption.TASK_COMPLETION)
            return False
        return controller.at_rest()

    def _interrupt(self, controller: Controller, number: int) -> None:
        """The first: take no new work, drain, leave. The second: leave at once."""
        from pools import NodeDeallocationOption

        self._interrupts += 1
        if self._interrupts == 1:
            controller.drain(NodeDeallocationOption.TASK_COMPLETION)
            name = signal.Signals(number).name
            text = (
                f"{name}: no new work; tasks finish, then the nodes go. Once more (Ctrl-C) to leave at once."
            )
            self._say(text, "bad")
        else:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            controller.engine.stop()

    def _say(self, text: str, tone: str) -> None:
        from ..clock import now
        from ..views import Line

        assert self._pump is not None
        self._pump.say(Line(now(), "ebbtide", text, tone))  # type: ignore[arg-type]

    def _leave_at_once(self, controller: Controller) -> None:
        """Let go of everything as it is: the next run with this state adopts it."""
        assert self._pump is not None
        self._pump.close()
        names = [node.vm_name for node in controller.core.ctx.nodes]
        if names:
            tell(f"ebbtide: left at once; these VMs still run: {', '.join(names)}", err=True)
            tell(f"ebbtide: end them: ebbtide down --state {shlex.quote(str(controller.state.path))}", err=True)
            tell("ebbtide: or go on: the same `ebbtide run` again", err=True)
        else:
            tell("ebbtide: left at once; no VM runs", err=True)
        with heard_or_not():
            sys.stdout.flush()
            sys.stderr.flush()
        # threads may still wait for clouds and nodes, and what is to be remembered is committed
        os._exit(130)

    def _end(self, controller: Controller) -> int:
        from runner import open_journal

        from ..clock import now
        from ..report import Report
        from ..views.summary import summary

        core = controller.core
        for schedule in core.schedules.schedules:
            if schedule.state == "disabled":
                where = shlex.quote(str(controller.state.path))
                cure = f"ebbtide schedule enable {shlex.quote(schedule.id)} --state {where}"
                tell(f"ebbtide: schedule {schedule.id} is disabled: nothing to do; enable it: {cure}", err=True)
        journal = open_journal(controller.state.database_url, upgrade=False)
        try:
            report = Report(
                jobs=tuple(core.jobs.jobs),
                tasks=journal.task_queries.stream,
                pools=tuple(core.ctx.pools),
                nodes=tuple(core.ctx.nodes),
                autoscale_runs=journal.autoscale_runs(),
                now=now(),
                departed=tuple(core.ctx.departed),
            )
            assert self._pump is not None
            if self._as_json:
                with heard_or_not():
                    report.write(sys.stdout)
                    sys.stdout.flush()
            tell(summary(report, self._pump.tally), err=self._as_json)
            return self._code(report, controller)
        finally:
            journal.close()

    def _code(self, report: Report, controller: Controller) -> int:
        from providers import ProviderError

        for reason in self._stuck:
            tell(f"ebbtide: error: {self._workload}: {reason}", err=True)
        cure = f"ebbtide down --state {shlex.quote(str(controller.state.path))}"
        try:
            left = controller.left_over()
        except ProviderError as exc:
            # by the records none is; what counts is what the clouds say
            tell(f"ebbtide: error: whether any VM is left is not known: {exc}; make sure: {cure}", err=True)
            return 1
        if left:
            tell(f"ebbtide: error: these VMs are left: {', '.join(left)}; end them: {cure}", err=True)
            return 1
        if report.succeeded and not self._stuck:
            return 0
        return 130 if self._interrupts and not report.failed_count else 1
