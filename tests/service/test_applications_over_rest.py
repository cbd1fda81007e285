"""Application packages come over HTTP, and by `ebbtide app`: to a server, to a state with a controller, without one."""

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from runner import open_journal
from service.cli import main
from service.state import StateDirectory
from tests.providers.waiting import wait_until

from .served import Served, ebbtide, exported, signed

LIMIT = 100_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("applications")
    config = directory / "settings.yaml"
    config.write_text(f"applicationPackageLimit: {LIMIT}\n")
    server = Served(directory, "--config", str(config)).ready()
    yield server
    server.close()


def ask(served: Served, method: str, path: str, content: bytes | None = None, **headers: str) -> httpx.Response:
    lines = served.lines
    account, key = lines["AZURE_BATCH_ACCOUNT"], lines["AZURE_BATCH_ACCESS_KEY"]
    return served.ask(method, path, account, key, content=content, **headers)


def zipped(text: str = "echo hi", name: str = "run.sh", kind: int = stat.S_IFREG) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system, entry.external_attr = 3, (kind | 0o755) << 16
        archive.writestr(entry, text)
    return packed.getvalue()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def stored(served: Served) -> set[str]:
    return {path.name for path in (served.state / "packages").iterdir()}


def test_the_life_of_an_application(served: Served) -> None:
    place = "/applications/Tool/versions/1.0"
    made = ask(served, "PUT", place, zipped())
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["location"] == f"{served.url}{place}"
    assert ask(served, "PUT", place.replace("Tool", "tool"), zipped()).status_code == 200
    assert ask(served, "PUT", "/applications/tool/versions/2", zipped("2")).status_code == 201

    shown = ask(served, "GET", "/applications/TOOL").json()
    assert (shown["id"], shown["versions"], shown["defaultVersion"]) == ("Tool", ["1.0", "2"], "2")
    assert [each["contentLength"] for each in shown["packages"]] == [len(zipped()), len(zipped("2"))]
    assert "Tool" in {each["id"] for each in ask(served, "GET", "/applications").json()["value"]}
    package = ask(served, "GET", place)
    assert (package.json()["version"], package.headers["etag"]) == ("1.0", made.headers["etag"])
    assert (served.state / "packages" / f"{package.json()['sha256']}.zip").read_bytes() == zipped()

    body = json.dumps({"defaultVersion": "1.0"}).encode()
    assert ask(served, "PATCH", "/applications/tool", body).status_code == 200
    assert ask(served, "GET", "/applications/tool").json()["defaultVersion"] == "1.0"
    assert ask(served, "PUT", "/applications/tool/versions/3?default=true", zipped("3")).status_code == 201
    assert ask(served, "GET", "/applications/tool").json()["defaultVersion"] == "3"

    assert ask(served, "DELETE", "/applications/tool/versions/3").status_code == 204
    assert ask(served, "GET", "/applications/tool").json()["versions"] == ["1.0", "2"]
    assert ask(served, "DELETE", "/applications/tool").status_code == 204
    assert code(ask(served, "GET", "/applications/tool")) == (404, "ApplicationNotFound")


def test_only_if_it_is_as_one_believes(served: Served) -> None:
    place = "/applications/guarded/versions/1"
    assert code(ask(served, "PUT", place, zipped(), If_Match='"x"')) == (412, "ConditionNotMet")
    made = ask(served, "PUT", place, zipped(), If_None_Match="*")
    assert made.status_code == 201
    assert code(ask(served, "PUT", place, zipped("2"), If_None_Match="*")) == (412, "ConditionNotMet")
    assert ask(served, "PUT", place, zipped("2"), If_Match=made.headers["etag"]).status_code == 200
    assert code(ask(served, "PUT", place, zipped("3"), If_Match=made.headers["etag"])) == (412, "ConditionNotMet")


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "found"),
    [
        ("PUT", "a/versions/1", b"", 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", b"no zip", 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", zipped()[:-10], 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", zipped().replace(b"echo hi", b"echo ho", 1), 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", zipped(name="../../x"), 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", zipped(name="/etc/x"), 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", zipped("/etc/passwd", "link", stat.S_IFLNK), 400, "InvalidRequestBody"),
        ("PUT", "a/versions/1", b"x" * (LIMIT + 1), 413, "RequestBodyTooLarge"),
        ("PUT", "a%2Fb/versions/1", zipped(), 400, "InvalidPropertyValue"),
        ("PUT", "a/versions/..", zipped(), 400, "InvalidPropertyValue"),
        ("PUT", "a/versions/1?default=perhaps", zipped(), 400, "InvalidQueryParameterValue"),
        ("PUT", "a/versions/1?sort=up", zipped(), 400, "UnsupportedQueryParameter"),
        ("POST", "a/versions/1", zipped(), 405, "UnsupportedHttpVerb"),
        ("PUT", "a", zipped(), 405, "UnsupportedHttpVerb"),
        ("GET", "a/versions/1", None, 404, "ApplicationNotFound"),
        ("DELETE", "a", None, 404, "ApplicationNotFound"),
        ("PATCH", "a", b'{"defaultVersion": "1"}', 404, "ApplicationNotFound"),
        ("PATCH", "a", b'{"default": "1"}', 400, "InvalidRequestBody"),
        ("PATCH", "a", b"", 400, "InvalidRequestBody"),
    ],
)
def test_refused(
    served: Served, method: str, path: str, content: bytes | None, status: int, found: str
) -> None:
    if ".." in path:
        path = path.replace("..", "%2E%2E")
    before = stored(served)
    assert code(ask(served, method, f"/applications/{path}", content)) == (status, found)
    assert stored(served) == before, "nothing of it is left"


def test_one_that_hangs_up_leaves_nothing(served: Served) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 1000
        raise ConnectionError

    before, client = stored(served), served.client()
    names = (served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"])
    place = "/applications/a/versions/1"
    said = signed(client, "PUT", place, *names, content=b"x" * 5000)
    request = client.build_request("PUT", said.url, headers=dict(said.headers), content=broken())
    with pytest.raises(ConnectionError):
        client.send(request)
    wait_until(lambda: stored(served) == before)
    assert code(ask(served, "GET", place)) == (404, "ApplicationNotFound")


def test_who_may(served: Served) -> None:
    assert served.client().put("/applications/a/versions/1", content=zipped()).status_code == 401
    told = ebbtide("account", "create", "reader", "--read-only", state=served.state)
    reader = exported(told.stdout)
    name, key = reader["AZURE_BATCH_ACCOUNT"], reader["AZURE_BATCH_ACCESS_KEY"]
    assert served.ask("GET", "/applications", name, key).status_code == 200
    refused = served.ask("PUT", "/applications/a/versions/1", name, key, content=zipped())
    assert code(refused) == (403, "AuthorizationFailure")


@pytest.mark.parametrize("way", ["server", "socket", "alone"])
def test_the_same_by_command(
    served: Served, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the server, through the socket of its state, and to a state on which nobody works."""
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "run.sh").write_text("echo one")
    (tmp_path / "two.zip").write_bytes(zipped("two"))
    state = served.state
    if way == "alone":
        directory = StateDirectory(tmp_path / "state")
        directory.create(lambda: "0123456789ab")
        open_journal(directory.database_url).close()
        state = directory.path
    for name, value in served.lines.items() if way == "server" else ():
        monkeypatch.setenv(name, value)

    def app(*words: str) -> Result:
        return CliRunner().invoke(main, ["app", *words, *(("--state", str(state)) if way != "server" else ())])

    assert app("add", "tool", "1", str(folder)).exit_code == 0
    assert app("add", "tool", "2", str(tmp_path / "two.zip"), "--default").exit_code == 0
    shown = json.loads(app("show", "tool", "--json").stdout)
    assert (shown["versions"], shown["defaultVersion"]) == (["1", "2"], "2")
    assert app("set-default", "tool", "1").exit_code == 0
    assert [line.split()[:3] for line in app("list").stdout.splitlines() if "tool" in line] == [
        ["tool", "1", "yes"],
        ["tool", "2", "-"],
    ]
    held = state / "packages" / f"{shown['packages'][1]['sha256']}.zip"
    assert held.read_bytes() == zipped("two")
    failed = app("set-default", "tool", "9")
    assert failed.exit_code == 1 and "ApplicationPackageNotFound" in failed.stderr
    bad = app("add", "tool", "3", str(tmp_path / "none"))
    assert bad.exit_code == 2 and "there is no file or folder" in bad.stderr
    assert app("remove", "tool", "2", "--yes").exit_code == 0
    assert json.loads(app("show", "tool", "--json").stdout)["versions"] == ["1"]
    assert app("remove", "tool", "--yes").exit_code == 0
    assert app("remove", "tool", "--yes").exit_code == 1
