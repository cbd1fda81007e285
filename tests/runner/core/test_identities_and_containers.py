"""Who commands run as and in which containers: what is let in, and what nodes are told."""

import msgspec
import pytest

from pools import AutoUser, ContainerSettings, PoolError, PoolSpec, UserAccount, UserIdentity, container_configuration
from runner import invalid_account, invalid_container
from runner.containers import contained, images
from runner.exit_conditions import consequence
from runner.failure import failure
from runner.job_errors import JobError
from runner.preparation_checks import check_preparation_and_release
from runner.request_checks import check_nodes
from runner.spec import JobSpecification, PoolInfo
from runner.task_checks import check_task
from runner.task_spec import ExitConditions, ExitOptions, JobPreparationTask, TaskSpec
from runner.user_checks import invalid_accounts, invalid_identity
from runner.user_identity import node_users

LINUX = "linuxUserConfiguration"


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ({"name": "a"}, None),
        ({"name": "_a-1", "password": "x y", LINUX: {"uid": 2000, "gid": 2001}}, None),
        ({"name": "A"}, "lower-case"),
        ({"name": "1a"}, "lower-case"),
        ({"name": "-a"}, "lower-case"),
        ({"name": "a" * 32}, "lower-case"),
        ({"name": "a\n"}, "lower-case"),
        ({"name": "root"}, "there already"),
        ({"name": "_azbatch"}, "there already"),
        ({"name": "a", "password": ""}, "one line"),
        ({"name": "a", "password": "x\nroot:y"}, "one line"),
        ({"name": "a", LINUX: {"uid": 2000}}, "go together"),
        ({"name": "a", LINUX: {"uid": 0, "gid": 1}}, "uid: 0"),
        ({"name": "a", LINUX: {"uid": 1, "gid": 1_900_000_000}}, "gid"),
    ],
)
def test_accounts(account: dict[str, object], told: str | None) -> None:
    fault = invalid_account(msgspec.convert(account, UserAccount))
    assert fault is None if told is None else told in (fault or "")


def test_accounts_of_a_pool() -> None:
    accounts = [UserAccount(name=f"a{number}") for number in range(101)]
    assert invalid_accounts(accounts[:100]) is None
    assert "at most 100" in (invalid_accounts(accounts) or "")
    assert "twice" in (invalid_accounts([accounts[0], accounts[0]]) or "")


def test_identities() -> None:
    assert invalid_identity(UserIdentity(user_name="a"), {"a"}) is None
    assert "are: b" in (invalid_identity(UserIdentity(user_name="a"), {"b"}) or "")
    both = msgspec.convert({"username": "a", "autoUser": {}}, UserIdentity)
    assert "side by side" in (invalid_identity(both) or "")
    with pytest.raises(JobError, match="side by side"):
        check_task(TaskSpec(id="t", command_line="x", user_identity=both), 1)


def test_whose_fault_it_is() -> None:
    assert failure("ContainerMiscError", "no room").category == "servererror"
    for code in ("ContainerInvalidSettings", "ContainerInvalidImage", "ContainerEngineNotFound"):
        assert failure(code, "x").category == "usererror"
    options = ExitConditions(pre_processing_error=ExitOptions(job_action="disable"))
    assert consequence(options, None, failure("ContainerMiscError", "x")).job_action == "disable"


ADMIN = UserIdentity(auto_user=AutoUser(elevation_level="admin"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--rm --init -it -e A=b --memory 1g --cpus=2 --network bridge -w /x --ulimit nofile=9 --pids-limit -1", None),
        ("--privileged", "--privileged"),
        ("--user 0", "--user"),
        ("--user=0:0", "--user"),
        ("-u0", "-u"),
        ("-itu 0", "-u"),
        ("-v /:/host", "-v"),
        ("--mount type=bind,source=/,target=/x", "--mount"),
        ("--security-opt seccomp=unconfined", "--security-opt"),
        ("--env-file /etc/shadow", "--env-file"),
        ("--log-opt path=/etc/x", "--log-opt"),
        ("--network container:other", "by their names"),
        ("--net=ns:/proc/1/ns/net", "by their names"),
        ("--pull --privileged", "=VALUE"),
        ("--shm-size -v/:/x", "=VALUE"),
        ("--unheard-of", "--unheard-of"),
    ],
)
def test_options_that_take_the_rights_of_the_engine_are_for_admins(options: str, told: str | None) -> None:
    spec = ContainerSettings(image_name="i", container_run_options=options)
    fault = invalid_container(spec)
    assert fault is None if told is None else told in (fault or "")
    if "=VALUE" not in (told or ""):
        for identity in (ADMIN, UserIdentity(user_name="whom-only-the-node-knows")):
            assert invalid_container(spec, identity) is None


@pytest.mark.parametrize(
    "options", ["--name x", "--cidfile=/x", "-d", "--detach", "-itd", "evil/image", "--rm evil/image"]
)
def test_options_that_nobody_may_give(options: str) -> None:
    for identity in (None, ADMIN):
        assert invalid_container(ContainerSettings(image_name="i", container_run_options=options), identity)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"imageName": "a/b:1", "containerRunOptions": " "}, None),
        ({"imageName": "i", "containerRunOptions": "--rm -e 'A=b c'"}, None),
        ({"imageName": ""}, "no name of an image"),
        ({"imageName": "--privileged"}, "no name of an image"),
        ({"imageName": "a b"}, "no name of an image"),
        ({"imageName": "i", "containerRunOptions": "other-image"}, "no option"),
        ({"imageName": "i", "containerRunOptions": "-e 'A"}, "quot"),
        ({"imageName": "i", "containerRunOptions": "--rm --name=x"}, "--name"),
        ({"imageName": "i", "registry": {"username": "u"}}, "password"),
        ({"imageName": "i", "registry": {"username": "u:x", "password": "p"}}, "colon"),
        ({"imageName": "i", "registry": {"username": "u", "password": "p", "registryServer": ""}}, "address"),
    ],
)
def test_container_settings(settings: dict[str, object], told: str | None) -> None:
    spec = msgspec.convert(settings, ContainerSettings)
    fault = invalid_container(spec)
    assert fault is None if told is None else told in (fault or "")
    if told is not None:
        with pytest.raises(JobError, match="containerSettings"):
            check_task(TaskSpec(id="t", command_line="x", container_settings=spec), 1)
        preparation = JobPreparationTask(command_line="x", container_settings=spec)
        job = JobSpecification(pool_info=PoolInfo(pool_id="p"), job_preparation_task=preparation)
        with pytest.raises(JobError, match=r"jobPreparationTask\.containerSettings"):
            check_preparation_and_release("job", job)


def pool(**more: object) -> PoolSpec:
    return msgspec.convert({"id": "p", "vmSize": "s", **more}, PoolSpec)


def with_containers(**group: object) -> PoolSpec:
    return pool(virtualMachineConfiguration={"containerConfiguration": group})


REGISTRY = {"registryServer": "r", "username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (with_containers(type="DockerCompatible", containerImageNames=["a"], containerRegistries=[REGISTRY]), None),
        (with_containers(type="rkt"), "type"),
        (with_containers(containerImageNames=["a", "b c"]), "containerImageNames"),
        (with_containers(containerRegistries=[{"username": "u"}]), "containerRegistries"),
        (with_containers(containerImages=["a"]), "containerConfiguration"),
        (pool(userAccounts=[{"name": "root"}]), "userAccounts"),
        (pool(startTask={"commandLine": "x", "userIdentity": {"username": "a"}}), "startTask.userIdentity"),
        (pool(startTask={"commandLine": "x", "containerSettings": {"imageName": ""}}), "startTask.containerSettings"),
    ],
)
def test_pools(spec: PoolSpec, told: str | None) -> None:
    if told is None:
        check_nodes(spec)
    else:
        with pytest.raises(PoolError, match=told):
            check_nodes(spec)


def test_what_nodes_are_told() -> None:
    spec = with_containers(containerImageNames=["a", "b"], containerRegistries=[REGISTRY])
    own = {"username": "me", "password": "q"}
    settings = {"imageName": "i", "containerRunOptions": "--cpus 2", "registry": own}
    told = contained(msgspec.convert(settings, ContainerSettings), spec)
    first = {"server": "r", "username": "u", "password": "p"}
    assert told == {
        "image": "i",
        "options": ("--cpus", "2"),
        "inside": True,
        "registries": [first, {"server": None, **own}],
    }
    elsewhere = msgspec.convert({"imageName": "i", "workingDirectory": "containerImageDefault"}, ContainerSettings)
    other = contained(elsewhere, pool())
    assert other is not None and (other["inside"], other["registries"]) == (False, [])
    assert contained(None, spec) is None
    assert images(spec) == {"images": ("a", "b"), "registries": [first], "patient": False}
    assert images(pool()) is None and images(with_containers()) is None
    assert container_configuration(pool()) is None
    accounts = [{"name": "a", "elevationLevel": "admin", "password": "p", LINUX: {"uid": 5, "gid": 6}}]
    assert node_users(pool(userAccounts=accounts), "task") == {
        "accounts": [{"name": "a", "admin": True, "password": "p", "uid": 5, "gid": 6}],
        "scope": "task",
    }
    assert node_users(pool(), "pool", pool_user=True) == {"accounts": [], "scope": "pool", "poolUser": True}
