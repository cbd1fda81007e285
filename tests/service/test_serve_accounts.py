"""Who gets into a server, over https with a certificate that vouches for itself; accounts that change meanwhile."""

from __future__ import annotations

import base64
import json
import os
import ssl
import stat
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest

from .served import Served, ebbtide, exported, signed

EVIL = base64.b64encode(b"k" * 64).decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("serve"), "--tls").ready()
    yield served
    served.close()


@pytest.fixture(scope="module")
def account(served: Served) -> tuple[str, str]:
    return served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]


def made(served: Served, name: str, *words: str) -> tuple[str, str]:
    """An account of the name, by the command."""
    done = ebbtide("account", "create", name, *words, state=served.state)
    assert done.returncode == 0, done.stderr
    return exported(done.stdout)["AZURE_BATCH_ACCOUNT"], exported(done.stdout)["AZURE_BATCH_ACCESS_KEY"]


def test_the_first_start_tells_a_shell_what_it_needs(served: Served, account: tuple[str, str]) -> None:
    assert served.lines == {
        "AZURE_BATCH_ACCOUNT": "ebbtide",
        "AZURE_BATCH_ACCESS_KEY": account[1],
        "AZURE_BATCH_ENDPOINT": served.url,
        "REQUESTS_CA_BUNDLE": str(served.state / "certificate.pem"),
    }
    assert served.url.startswith("https://127.0.0.1:") and not served.url.endswith(":0")
    assert "\naz batch pool create --id " in served.out
    assert served.ask("GET", "/pools", *account).json()["value"] == []


@pytest.mark.parametrize("name", ["accounts.json", "certificate-key.pem", "endpoint"])
def test_what_is_secret_is_for_the_owner_alone(served: Served, name: str) -> None:
    assert stat.S_IMODE((served.state / name).stat().st_mode) == 0o600


def test_the_certificate_is_good_for_strict_clients_and_for_no_other_name(served: Served) -> None:
    strict = ssl.create_default_context(cafile=str(served.state / "certificate.pem"))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    port = httpx.URL(served.url).port
    for host in ("127.0.0.1", "localhost"):
        assert httpx.get(f"https://{host}:{port}/healthz", verify=strict, trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{served.url}/healthz", trust_env=False)
    other = httpx.Client(verify=strict, trust_env=False)
    with other, pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        other.get(f"{served.url}/healthz", extensions={"sni_hostname": "example.com"})
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)


def test_health_needs_no_account_and_tells_nothing(served: Served) -> None:
    client = served.client()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.head("/healthz").status_code == 200
    assert client.get("/health").status_code == 401, "that is for nodes"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("Bearer x", 401),
        ("Basic x", 401),
        ("SharedKey", 401),
        ("SharedKey ebbtide", 403),
        ("SharedKey ebbtide:", 403),
        ("SharedKey ebbtide:AAAA", 403),
        ("SharedKey :AAAA", 403),
        ("SharedKey nobody:AAAA", 403),
        ("SharedKey ebbtide:ä", 403),
        ("sharedkey ebbtide:AAAA", 401),
    ],
)
@pytest.mark.parametrize("path", ["/pools", "/nowhere", "/pools/%00", "/jobs/a%2Fb/tasks"])
def test_who_shows_no_key_is_refused_before_anything_else(
    served: Served, header: str | None, status: int, path: str
) -> None:
    given = {b"authorization": header.encode("latin-1")} if header is not None else {}
    date = formatdate(time.time(), usegmt=True).encode()
    answer = served.client().get(path, headers={b"ocp-date": date, **given})
    assert (answer.status_code, answer.json()["code"]) == (status, "AuthenticationFailed")
    assert answer.headers.get("www-authenticate") == ('SharedKey realm="batch"' if status == 401 else None)
    assert [each["key"] for each in answer.json()["values"]] == ["AuthenticationErrorDetail"]
    assert "ebbtide" not in answer.text.replace("ebbtide:", ""), "nor whether there is such an account"


def test_a_key_of_nobody_or_of_another_account(served: Served, account: tuple[str, str]) -> None:
    name, key = account
    other, its = made(served, "Other_1")
    assert served.ask("GET", "/pools", other, its).status_code == 200
    refusals = {
        served.ask("GET", "/pools", *each).json()["message"]["value"].split("\nRequestId")[0]
        for each in ((name, EVIL), (name, its), (other, key), ("nobody", key))
    }
    assert len(refusals) == 1, "the same words, whatever is wrong"


@pytest.mark.parametrize(("seconds", "status"), [(-14 * 60, 200), (14 * 60, 200), (-16 * 60, 403), (16 * 60, 403)])
def test_clocks_may_differ_by_a_quarter_of_an_hour(
    served: Served, account: tuple[str, str], seconds: float, status: int
) -> None:
    answer = served.ask("GET", "/pools", *account, date=formatdate(time.time() + seconds, usegmt=True))
    assert answer.status_code == status
    assert status == 200 or "compare the clocks" in answer.text


@pytest.mark.parametrize("date", ["", "now", "2026-01-01T00:00:00Z", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none(served: Served, account: tuple[str, str], date: str) -> None:
    assert served.ask("GET", "/pools", *account, date=date).status_code == 403


@pytest.mark.parametrize("path", ["/jobs/s%3Ajob-1", "/jobs/a%20b", "/jobs/%C3%A4", "/jobs/a+b?$select=id%2Cstate"])
def test_the_path_is_signed_as_it_is_on_the_wire(served: Served, account: tuple[str, str], path: str) -> None:
    assert served.ask("GET", path, *account).json()["code"] == "JobNotFound"


def test_what_was_signed_cannot_be_used_for_anything_else(served: Served, account: tuple[str, str]) -> None:
    client = served.client()
    request = signed(client, "GET", "/pools", *account)
    assert client.send(request).status_code == 200
    for method, path in (("GET", "/jobs"), ("DELETE", "/pools"), ("GET", "/pools/p"), ("GET", "/pools?$select=id")):
        url = f"{path}{'&' if '?' in path else '?'}api-version=2025-06-01"
        assert client.send(client.build_request(method, url, headers=request.headers)).status_code == 403


def test_a_read_only_account(served: Served) -> None:
    watcher = made(served, "watcher", "--read-only")
    assert served.ask("GET", "/pools", *watcher).status_code == 200
    for method, path, content in (
        ("POST", "/pools", b'{"id": "p", "vmSize": "small"}'),
        ("DELETE", "/jobs/j", None),
        ("POST", "/jobs/j/terminate", b"{}"),
        ("PATCH", "/jobs/j", b"{}"),
    ):
        answer = served.ask(method, path, *watcher, content=content)
        assert (answer.status_code, answer.json()["code"]) == (403, "AuthorizationFailure"), (method, path)


def test_keys_are_renewed_while_clients_use_the_other_one(served: Served) -> None:
    name, first = made(served, "rotating")
    told = json.loads(ebbtide("account", "show", name, "--json", state=served.state).stdout)
    assert (told["primary"], told["endpoint"]) == (first, served.url)
    second = told["secondary"]
    assert first != second
    renewed = exported(ebbtide("account", "key", "renew", name, state=served.state).stdout)["AZURE_BATCH_ACCESS_KEY"]
    assert renewed not in (first, second)
    codes = [served.ask("GET", "/pools", name, key).status_code for key in (first, second, renewed)]
    assert codes == [403, 200, 200]
    done = ebbtide("account", "key", "renew", name, "--key-name", "secondary", state=served.state)
    other = exported(done.stdout)["AZURE_BATCH_ACCESS_KEY"]
    codes = [served.ask("GET", "/pools", name, key).status_code for key in (second, renewed, other)]
    assert codes == [403, 200, 200]
    assert ebbtide("account", "delete", name, state=served.state).returncode == 0
    assert served.ask("GET", "/pools", name, renewed).status_code == 403


def test_what_the_commands_refuse_and_show(served: Served, account: tuple[str, str]) -> None:
    state = served.state
    for words, text in (
        (("create", "ebbtide"), "there is an account 'ebbtide' already"),
        (("create", "a b"), "is no name of an account"),
        (("create", ""), "is no name of an account"),
        (("create", "x" * 65), "is no name of an account"),
        (("show", "nobody"), "there is no account 'nobody'; there are: ebbtide"),
        (("delete", "nobody"), "there is no account 'nobody'"),
        (("key", "renew", "nobody"), "there is no account 'nobody'"),
    ):
        done = ebbtide("account", *words, state=state)
        assert (done.returncode, text in done.stderr) == (2, True), done.stderr
    listed = ebbtide("account", "list", state=state)
    assert "ebbtide" in listed.stdout and account[1] not in listed.stdout
    listed = ebbtide("account", "list", "--json", state=state)
    assert account[1] not in listed.stdout
    assert {"name": "ebbtide", "kind": "readwrite"}.items() <= json.loads(listed.stdout)[0].items()


@pytest.mark.parametrize("text", ["", "[", '[{"name": "ebbtide", "keys": ["", ""], "created": 0}]', "{}"])
def test_accounts_that_cannot_be_read_let_nobody_in(served: Served, account: tuple[str, str], text: str) -> None:
    file = served.state / "accounts.json"
    before = file.read_bytes()
    try:
        file.write_text(text)
        answer = served.ask("GET", "/pools", *account)
        assert (answer.status_code, answer.json()["code"]) == (500, "InternalError")
        empty = base64.b64encode(b"").decode()
        assert served.ask("GET", "/pools", "ebbtide", empty).status_code == 500, "nor with a key of nothing"
    finally:
        file.write_bytes(before)
    assert served.ask("GET", "/pools", *account).status_code == 200


def test_no_key_is_in_any_log_file_answer_or_list_of_processes(served: Served, account: tuple[str, str]) -> None:
    """The last test: of all that happened here."""
    name, key = account
    answers = [
        served.ask("GET", "/pools", name, key, authorization="x"),
        served.ask("POST", "/pools", name, key, content=b'{"id": "p"}'),
        served.ask("POST", "/pools", name, key, content=b"{"),
        served.ask("GET", "/pools?$filter=x", name, key),
    ]
    keys = {key for each in json.loads((served.state / "accounts.json").read_text()) for key in each["keys"]}
    assert key in keys
    seen = {f"answer {number}": answer.text for number, answer in enumerate(answers)}
    seen["standard error"] = served.err
    process = Path("/proc") / str(served.process.pid)
    seen |= {name: (process / name).read_text(errors="replace") for name in ("cmdline", "environ")}
    for folder, _, files in os.walk(served.state):
        for file in files:
            path = Path(folder) / file
            if path.name != "accounts.json" and path.is_file():
                seen[str(path)] = path.read_text(errors="replace")
    assert not [(where, key) for where, text in seen.items() for key in keys if key in text]
    assert "Traceback" not in served.err
