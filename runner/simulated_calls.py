"""The calls to a simulated cloud: they take time, fail, and may take effect although their controller is gone."""

from __future__ import annotations

from collections.abc import Callable

from pools import CreateVm, DestroyVm, ListVms, ReadConsole, RebootVm
from providers import ProviderError, SimulatedProvider, Vm

from . import events as ev
from .node_events import VmRebooted, VmRebootFailed
from .simulation_faults import Faults

Action = Callable[[float], None]


class SimulatedCalls:
    def __init__(
        self,
        cloud: SimulatedProvider,
        faults: Faults,
        clock: Callable[[], float],
        at: Callable[[float, Action], None],
        post: Callable[[ev.Event, float], None],
        ended: Callable[[str], None],
        rebooted: Callable[[str], None],
        made: Callable[[Vm], None] = lambda vm: None,
    ) -> None:
        """`post`: brings an answer at a time; `ended`, `rebooted`: the VM of that name has been; `made`: this one, or
        asked for once more."""
        self._cloud = cloud
        self._faults = faults
        self._clock = clock
        self._at = at
        self._post = post
        self._ended = ended
        self._rebooted = rebooted
        self._made = made
        #: those that have not taken effect, by number; and when the last answer about a VM arrives
        self._calls: dict[int, Callable[[float], ev.Event | None]] = {}
        self._answers: dict[str, float] = {}
        self._count = 0

    def crash(self) -> None:
        """The controller is gone: what was under way is done or lost."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if self._faults.survives_crash():
                call(self._clock())
        self._answers.clear()

    def issue(self, command: CreateVm | DestroyVm | RebootVm | ReadConsole | ListVms) -> None:
        now = self._clock()
        match command:
            case CreateVm():
                self._call(command.spec.name, "create", lambda then: self._create(command))
            case DestroyVm():
                self._call(command.vm_name, "destroy", lambda then: self._destroy(command))
            case RebootVm():
                self._call(command.vm_name, "reboot", lambda then: self._reboot(command))
            case ReadConsole(node_id, _, name):
                self._call(name, "console", lambda then: self._console(node_id, name))
            case ListVms(provider):
                self._call(f"list {provider}", "list_owned", lambda then: self._list(provider, now))

    def _call(self, line: str, method: str, call: Callable[[float], ev.Event | None]) -> None:
        """A call takes effect after a while, and its answer arrives later; those about one VM keep their
        order."""
        kind = "list" if method == "list_owned" else "call"
        effect = max(self._clock() + self._faults.latency(kind), self._answers.get(line, 0.0))
        answer = self._answers[line] = effect + self._faults.latency(kind)
        self._count += 1
        number = self._count
        error = self._faults.call_error(method)

        def carry_out(now: float) -> ev.Event | None:
            if error is not None:
                self._cloud.fail(method, *error)
            return call(now)

        def take_effect(now: float) -> None:
            if self._calls.pop(number, None) is not None:
                event = carry_out(now)
                if event is not None:
                    self._post(event, answer)

        self._calls[number] = carry_out
        self._at(effect, take_effect)

    def _create(self, command: CreateVm) -> ev.Event:
        try:
            vm = self._cloud.create(command.spec)
        except ProviderError as exc:
            return ev.VmCreateFailed(command.node_id, _alone(exc), command.spec.name)
        self._made(vm)
        return ev.VmCreated(command.node_id, vm)

    def _console(self, node_id: str, name: str) -> ev.Event:
        try:
            text = self._cloud.console(name)
        except ProviderError:
            text = None
        return ev.ConsoleRead(node_id, text or "")

    def _reboot(self, command: RebootVm) -> ev.Event:
        node_id, name = command.node_id, command.vm_name
        try:
            vm = self._cloud.reboot(name, command.provider_id)
        except ProviderError as exc:
            return VmRebootFailed(node_id, name, _alone(exc))
        self._rebooted(name)
        return VmRebooted(node_id, name, vm)

    def _destroy(self, command: DestroyVm) -> ev.Event | None:
        node_id, name = command.node_id, command.vm_name
        failure: ProviderError | None = None
        try:
            self._cloud.destroy(name, command.provider_id)
        except ProviderError as exc:
            failure = exc
        if failure is None or self.vm(name) is None:
            self._ended(name)  # also if the cloud was wrong: nothing of ours runs on a VM that it has ended
        if node_id is None:
            return None
        return ev.VmDestroyed(node_id, name) if failure is None else ev.VmDestroyFailed(node_id, str(failure))

    def _list(self, provider: str, asked: float) -> ev.Event | None:
        try:
            return ev.VmsListed(provider, tuple(self._cloud.list_owned()), asked)
        except ProviderError:
            return None

    def vm(self, name: str) -> Vm | None:
        """The VM as the cloud sees it now."""
        return self._cloud.vm(name)


def _alone(error: ProviderError) -> ProviderError:
    """Without where it was raised, which would keep the event alive that the error becomes a part of: a ring, which
    only the garbage collector ends."""
    return error.with_traceback(None)
