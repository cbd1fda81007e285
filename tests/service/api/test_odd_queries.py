"""Queries of requests: what is given twice, what is given and empty, and what means nothing to us."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from .served import Served, served


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        for name in ("a", "b"):
            assert found("POST", "/pools", {"id": name, "vmSize": "local.small"}).status_code == 201
        yield found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "ab"),
        ("$filter=", "ab"),
        ("$filter=id eq 'b'", "b"),
        ("$filter=&$filter=id eq 'b'", "b"),  # signed as the filter alone, so it must be the filter
        ("$Filter=id eq 'a'&$filter=id eq 'b'", "a"),
        ("maxresults=&$select=&$expand=&timeOut=", "ab"),
    ],
)
def test_what_is_empty_counts_as_not_given(api: Served, query: str, found: str) -> None:
    assert [each["id"] for each in api.get(f"/pools?{quote(query, safe='=&$')}")["value"]] == list(found)


def test_what_means_nothing_is_refused_also_if_it_is_empty(api: Served) -> None:
    for query in ("$orderby=id", "$orderby=", "force=true"):
        answer = api("GET", f"/pools?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "UnsupportedQueryParameter")


@pytest.mark.parametrize(
    "path",
    [
        "/poolusagemetrics?startTime=2026-01-01T00:00:00Z&endtime=2026-01-02T00:00:00Z&maxresults=10&$filter=poolId",
        "/certificates?maxresults=1000&timeout=30&$filter=state&$select=thumbprint",
        "/pools/a/nodes/n/extensions?$select=provisioningState&maxresults=1",
        "/pools/a/nodes/n/extensions/x?$select=provisioningState",
    ],
)
def test_an_operation_that_there_is_not_says_so_whatever_its_query(api: Served, path: str) -> None:
    answer = api("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (400, "OperationNotSupported")
