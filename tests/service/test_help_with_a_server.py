"""What somebody is told whom a server does not let in, or who has words of another tool."""

import json
import re
from email.utils import formatdate

import click
import httpx
import pytest
from click.testing import CliRunner

from service.cli import main
from service.cli.door import DEBUG
from service.cli.other_words import _OURS, here
from service.clock import now
from service.remote_files import RemoteTree
from service.rest_objects import ClocksDiffer
from service.rest_over_http import cure, refusal
from service.tree import TreeError

from .served import Served

AZURE = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly"


def denied(text, server_is_ahead=0.0):
    message = {"lang": "en-US", "value": f"{text}\nRequestId:1\nTime:2"}
    headers = {"Date": formatdate(now() + server_is_ahead, usegmt=True)}
    return httpx.Response(403, json={"code": "AuthenticationFailed", "message": message}, headers=headers)


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (3600.0, "the clock of this machine is 60 minutes behind that of the server"),
        (-1200.0, "the clock of this machine is 20 minutes ahead of that of the server"),
    ],
)
def test_a_clock_that_is_wrong_is_told_of(ahead, told):
    refused = refusal(denied(f"{AZURE}: the request was made at another time", ahead), "the server")
    assert isinstance(refused, ClocksDiffer)
    assert (refused.code, told in str(refused)) == ("AuthenticationFailed", True), refused


@pytest.mark.parametrize("ahead", [0.0, 300.0, -300.0])
@pytest.mark.parametrize(("text", "told"), [(f"{AZURE}: no such key", "no such key"), (AZURE, AZURE)])
def test_only_what_a_server_says_of_the_request_is_told(ahead, text, told):
    refused = refusal(denied(text, ahead), "the server")
    assert (str(refused), isinstance(refused, ClocksDiffer)) == (told, False)


def test_a_server_that_tells_no_time():
    answer = denied(f"{AZURE}: no such key")
    del answer.headers["Date"]
    assert str(refusal(answer, "the server")) == "no such key"


@pytest.mark.parametrize(
    ("error", "bundle", "helps"),
    [
        ("CERTIFICATE_VERIFY_FAILED: self-signed certificate", None, "export REQUESTS_CA_BUNDLE=FILE"),
        ("CERTIFICATE_VERIFY_FAILED: unable to get local issuer", "/x.pem", "REQUESTS_CA_BUNDLE=/x.pem does not vouch"),
        ("CERTIFICATE_VERIFY_FAILED: Hostname mismatch, certificate is not valid for 'x'", None, "name or address"),
        ("CERTIFICATE_VERIFY_FAILED: certificate has expired", None, "a certificate that is valid now"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", None, "give http://"),
        ("Connection refused", None, "whether `ebbtide serve` runs there"),
    ],
)
def test_who_is_not_reached_hears_what_helps(error, bundle, helps, monkeypatch):
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    if bundle is not None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    assert helps in cure(httpx.ConnectError(error))


# -- files: no path leads out of the folder of a task ------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../../x", "..", ".", "a/../../x", "../../../pools/p", "%2e%2e/x", "/../x", "a//../.."]
)
def test_no_path_is_that_of_something_else(path):
    asked = []

    def answer(request):
        asked.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"code": "FileNotFound", "message": {"value": "none"}})

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://server") as client:
        tree = RemoteTree(client, "jobs", "j", "tasks", "t")
        for ask in (lambda: tree.delete(path, True), lambda: tree.entry(path), lambda: tree.read(path, 0, 1)):
            with pytest.raises(TreeError, match=r"name no file|none"):
                ask()
    assert all(re.match(r"/jobs/j/tasks/t/files/[^/]+\?", each) for each in asked), asked


# -- words of az batch -------------------------------------------------------------------------------------------


def command(words):
    found: click.Command = main
    for word in words:
        assert isinstance(found, click.Group), words
        found = found.commands[word]
    return found


@pytest.mark.parametrize(("behind", "word"), sorted(_OURS))
def test_what_other_words_are_here_is_there(behind, word):
    assert word not in command(behind.split()).commands, "then it is no other word"
    for named in re.findall(r"`ebbtide ([a-z -]+)`", _OURS[behind, word]):
        command(named.split())
    assert here(f"No such command '{word}'.", behind).startswith(" It is ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("job stop j", "It is `ebbtide job terminate` here."),
        ("job-schedule list", "It is `ebbtide schedule` here."),
        ("node scheduling disable n", "`ebbtide node disable`"),
    ],
)
def test_other_words_are_answered(words, told, capsys, monkeypatch):
    monkeypatch.delenv(DEBUG, raising=False)
    with pytest.raises(SystemExit) as end:
        main(words.split())
    assert end.value.code == 2
    assert told in capsys.readouterr().err


# -- neither a state nor a server --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "endpoint", "told"),
    [
        ("app add x 1 .", None, "make one; if there is one elsewhere, name it (--state DIR); or a server: AZURE_BATCH"),
        ("pool create p --vm-size x", None, "; or a server: AZURE_BATCH_ENDPOINT"),
        ("task file list j t", None, "; or a server: AZURE_BATCH_ENDPOINT"),
        ("down", None, "; or a server: AZURE_BATCH_ENDPOINT"),
        ("status", None, "make one; if there is one elsewhere, name it (--state DIR)\n"),
        ("status", "http://127.0.0.1:1", "AZURE_BATCH_ENDPOINT means nothing to it"),
        ("account create x", "http://127.0.0.1:1", "AZURE_BATCH_ENDPOINT means nothing to it"),
    ],
)
def test_where_there_is_no_state_it_is_told_what_makes_one(words, endpoint, told, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv(DEBUG, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AZURE_BATCH_ENDPOINT", raising=False)
    if endpoint is not None:
        monkeypatch.setenv("AZURE_BATCH_ENDPOINT", endpoint)
    with pytest.raises(SystemExit) as end:
        main(words.split())
    said = capsys.readouterr().err
    assert (end.value.code, "`ebbtide serve` and `ebbtide run` make one" in said, told in said) == (2, True, True), said
    assert list(tmp_path.iterdir()) == [], "and nothing is made"


def test_a_certificate_that_nobody_has_signed(tmp_path):
    def pools(**changed):
        return CliRunner().invoke(main, ["pool", "list", "--json"], env=variables | changed)

    server = Served(tmp_path, "--tls")
    try:
        variables = server.ready().lines
        refused = pools(REQUESTS_CA_BUNDLE=None)
        assert (refused.exit_code, "export REQUESTS_CA_BUNDLE=FILE" in refused.stderr) == (1, True)
        assert json.loads(pools().stdout) == []
        missing = pools(REQUESTS_CA_BUNDLE=str(tmp_path / "none.pem"))
        assert "no certificates can be read there" in missing.stderr
    finally:
        server.close()
