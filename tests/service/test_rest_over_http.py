"""How a server is asked: signed, again if it is busy, and never twice for what it may have done."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import fields

from runner import account_and_signature, signed_by
from service.api.routing import Router
from service.clock import now
from service.request_routes import KINDS
from service.rest_objects import Objects, RequestRefused, Unanswered, path_of
from service.rest_over_http import SharedKey, http_way
from service.rest_requests import ask

KEY = "a2V5"
#: What names nothing: a path with it would be that of something else.
NO_ID = ("", ".", "..", "\udc80")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: text not in NO_ID)


class Scripted:
    """A server that answers what stands in the script, the last of it for ever."""

    def __init__(self, *script):
        self.script, self.asked = list(script), []
        self.slept: list[float] = []
        self.warned: list[str] = []
        client = httpx.Client(transport=httpx.MockTransport(self._answer), base_url="http://server")
        self.objects = Objects(http_way(client, "the server", self.warned.append, self.slept.append))

    def _answer(self, request):
        self.asked.append(request)
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(told, Exception):
            raise told
        return told

    def get(self):
        return self.objects.one("pools", "p")

    def post(self):
        return self.objects.ask("POST", "pools", "p", "stopresize")


def refusal(status, code, **headers):
    message = {"lang": "en-US", "value": f"said {code}\nRequestId:1\nTime:2"}
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"code": code, "message": message}, headers=given_headers)


def found():
    return httpx.Response(200, json={"odata.metadata": "x", "id": "p"})


BUSY, SLOW = lambda: refusal(503, "ServerBusy"), lambda: refusal(503, "OperationTimedOut")
CUT = httpx.RemoteProtocolError("cut off")


@pytest.mark.parametrize(
    ("method", "script", "slept"),
    [
        ("get", [found()], []),
        ("get", [BUSY(), BUSY(), found()], [0.5, 1.0]),
        ("post", [BUSY(), found()], [0.5]),
        ("get", [SLOW(), found()], [0.5]),
        ("get", [CUT, found()], [0.5]),
        ("get", [refusal(503, "ServerBusy", Retry_After="3"), found()], [3.0]),
        ("get", [refusal(503, "ServerBusy", Retry_After="86400"), found()], [30.0]),
        ("get", [refusal(503, "ServerBusy", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), found()], [0.5]),
    ],
)
def test_it_is_asked_again(method, script, slept):
    server = Scripted(*script)
    getattr(server, method)()
    assert (server.slept, len(server.asked)) == (slept, len(slept) + 1)


@pytest.mark.parametrize(
    ("method", "script", "error", "asked"),
    [
        ("get", [BUSY()], RequestRefused, 6),
        ("post", [SLOW()], RequestRefused, 1),  # it may have done it
        ("get", [refusal(409, "PoolBeingResized")], RequestRefused, 1),
        ("get", [httpx.Response(502, text="<html>bad gateway</html>")], RequestRefused, 1),
        ("get", [httpx.Response(200, text="<html>login</html>")], Unanswered, 1),
        ("get", [httpx.Response(302, headers={"Location": "http://elsewhere"})], RequestRefused, 1),
        ("get", [CUT], Unanswered, 6),
        ("post", [CUT], Unanswered, 1),
        ("get", [httpx.ReadTimeout("slow")], Unanswered, 1),
        ("get", [httpx.ConnectError("refused")], Unanswered, 1),
    ],
)
def test_it_is_asked_no_more(method, script, error, asked):
    server = Scripted(*script)
    with pytest.raises(error):
        getattr(server, method)()
    assert len(server.asked) == asked


def test_a_refusal_is_told_without_the_lines_for_the_log():
    with pytest.raises(RequestRefused) as refused:
        Scripted(refusal(409, "PoolBeingResized")).get()
    assert (refused.value.code, str(refused.value)) == ("PoolBeingResized", "said PoolBeingResized")


def test_what_has_no_effect_is_told():
    server = Scripted(httpx.Response(201, headers={"ebbtide-warning": "no effect: x"}))
    assert server.post() is None
    assert server.warned == ["no effect: x"]


@example(ids=["...", "%2e%2e", "a/../b"], filter_="é '+%", body=None)
@given(ids=st.lists(TEXT, min_size=1, max_size=4), filter_=TEXT, body=st.none() | st.dictionaries(TEXT, TEXT))
def test_a_server_takes_every_signature(ids, filter_, body):
    """Whatever stands in ids and filters."""
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(204)

    auth = SharedKey("someone", KEY)
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://server", auth=auth) as client:
        http_way(client, "the server")("GET" if body is None else "POST", path_of(*ids), {"$filter": filter_}, body)
    (request,) = seen
    raw, _, query = request.url.raw_path.decode().partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    account, signature = account_and_signature(headers["authorization"])
    assert signed_by((KEY,), signature, account, request.method, raw, query, headers, now())
    assert parse_qs(query)["$filter"] == [filter_]
    assert raw.count("/") == len(ids)


@pytest.mark.parametrize("segment", NO_ID)
def test_a_path_leads_to_what_is_named(segment):
    with pytest.raises(RequestRefused, match="names nothing"):
        Objects(lambda *request: pytest.fail(f"asked for {request}")).ask("DELETE", "jobs", "j", "tasks", segment)


@given(count=st.integers(0, 30), page=st.integers(1, 7), limit=st.none() | st.integers(1, 40))
def test_lists_are_read_to_their_end_and_no_further(count, page, limit):
    asked = []

    def way(method, path, query, body, if_match=None):
        asked.append(query)
        size = min(page, int(query.get("maxresults", 1000)))
        begin = int(query.get("$skiptoken", 0))
        values = [{"id": number} for number in range(begin, min(begin + size, count))]
        more = {"odata.nextLink": f"http://elsewhere/x?$skiptoken={begin + size}"} if begin + size < count else {}
        return {"value": values, **more}

    ids = [each["id"] for each in Objects(way).each("pools", query={"$filter": "f"}, limit=limit)]
    assert ids == list(range(count if limit is None else min(count, limit)))
    assert all(query["$filter"] == "f" for query in asked)
    assert len(asked) == max(1, -(-len(ids) // page))


@pytest.mark.parametrize("kind", [KINDS[name] for name in sorted(KINDS)])
@given(data=st.data())
def test_what_a_controller_can_be_asked_a_server_can_be_asked(kind, data):
    names = {field.name for field in fields(kind)}
    event = data.draw(st.builds(kind, **{name: TEXT for name in names if name.endswith("_id")}))
    seen = []

    def way(method, path, query, body, if_match=None):
        found = Router().find(method, path)
        assert found is not None and found.operation is not None, (method, path)
        seen.append((found, body))

    ask(Objects(way), event)
    ((found, body),) = seen
    assert set(found.ids.values()) == {getattr(event, name) for name in names if name.endswith("_id")}
    assert None not in (body or {}).values()


def test_the_body_is_json():
    server = Scripted(httpx.Response(204))
    server.objects.ask("POST", "jobs", "j", "disable", body={"disableTasks": "wait"})
    (request,) = server.asked
    assert json.loads(request.content) == {"disableTasks": "wait"}
    assert request.headers["content-type"].startswith("application/json")
    assert urlsplit(str(request.url)).path == "/jobs/j/disable"
