"""What a run finds at its end: a VM that lives is left over; one that has ended is cleaned up and is no error."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from providers import (
    AuthError,
    ProviderError,
    SimulatedProvider,
    SimulatedSettings,
    TransientError,
    VmSpec,
    VmState,
)
from service.cli.run import _Desk
from service.left_over import left_over, left_over_at

ID = "0123456789ab"


@pytest.mark.parametrize(
    ("ended", "left"), [((), ["a", "b"]), (("a",), ["b"]), (("a", "b"), [])], ids=["none", "one", "all"]
)
def test_what_has_ended_is_not_left(ended: tuple[str, ...], left: list[str]) -> None:
    time = 1000.0
    cloud = SimulatedProvider("lab", ID, SimulatedSettings(boot_delay=0.0), lambda: time)
    for name in ("a", "b"):
        cloud.create(
            VmSpec(
                name=f"{ID}-{name}", deployment=ID, pool_id="p", node_id=name, size=cloud.sizes()[0].name,
                image=cloud.images()[0].name, low_priority=True, public_key="ssh-ed25519 " + "A" * 68,
            )
        )  # fmt: skip
    time += 1
    for name in ended:
        cloud.preempt(f"{ID}-{name}")
    assert {vm.name for vm in cloud.list_owned() if vm.state is VmState.PREEMPTED} == {f"{ID}-{n}" for n in ended}
    assert list(left_over_at(cloud)) == [f"{ID}-{name}" for name in left]
    assert [vm.name for vm in cloud.list_owned()] == [f"{ID}-{name}" for name in left]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ([], 0, ""),
        (["vm-1"], 1, "error: these VMs are left: vm-1; end them: ebbtide down --state"),
        (TransientError("no answer"), 1, "error: whether any VM is left is not known: no answer; make sure: ebbtide"),
    ],
    ids=["none", "one", "nobody knows"],
)
def test_a_run_succeeds_only_where_no_vm_can_be_left(
    answer: list[str] | ProviderError, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def left_over() -> list[str]:
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    controller = SimpleNamespace(left_over=left_over, state=SimpleNamespace(path=Path("state")))
    report = SimpleNamespace(succeeded=True, failed=False)
    desk = _Desk(Path("w.yaml"), as_json=False, plain=True)
    assert desk._code(report, controller) == code  # type: ignore[arg-type]
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("used", [True, False])
def test_a_provider_that_no_pool_is_at_need_not_answer(used: bool) -> None:
    class Silent:
        def list_owned(self) -> list[str]:
            raise AuthError("no credentials in this shell")

    providers: dict[str, Any] = {"aws": Silent()}
    if used:
        with pytest.raises(AuthError):
            list(left_over(providers, {"aws"}))
    else:
        assert list(left_over(providers, {"local"})) == []
