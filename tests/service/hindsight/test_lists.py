"""What is kept of a pool's past, as the API lists it: by time, from either end, page by page."""

from itertools import islice

import pytest

from service.iso8601 import format_exactly
from service.rest_in_records import records_way
from service.rest_objects import Objects, RequestRefused

from .pasts import FORMULAS, START, spec, told

LISTS = ("autoscaleruns", "plannerpasses", "samples")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    with told(tmp_path_factory.mktemp("past")) as written:
        written.add(spec(FORMULAS["window"]))
        written.live(2)
        with records_way(written.journal) as way:
            yield Objects(way)


def listed(objects, what, **query):
    found = objects.each("pools", "p", what, query={name: str(value) for name, value in query.items()})
    return list(islice(found, 1000))  # pages that lead back would never end


def time_of(view):
    return view.get("timestamp") or view["time"]


@pytest.mark.parametrize("what", LISTS)
def test_pages_hold_what_the_whole_does(objects, what):
    whole = listed(objects, what)
    assert [time_of(each) for each in whole] == sorted({time_of(each) for each in whole})
    assert len(whole) > 7
    for size in (1, 7, 1000):
        assert listed(objects, what, maxresults=size) == whole
        assert listed(objects, what, maxresults=size, newestfirst="true") == whole[::-1]


@pytest.mark.parametrize("what", LISTS)
def test_by_time_with_both_ends(objects, what):
    whole = listed(objects, what)
    first, last = whole[2], whole[5]
    span = {"starttime": time_of(first), "endtime": time_of(last)}
    assert listed(objects, what, **span) == whole[2:6]
    assert listed(objects, what, **span, newestfirst="true", maxresults=2) == whole[2:6][::-1]
    assert listed(objects, what, endtime=format_exactly(START - 1)) == []


def test_only_what_is_asked_for(objects):
    brief = listed(objects, "autoscaleruns", **{"$select": "timestamp,RESULTS"})
    assert {name for each in brief for name in each} == {"timestamp", "results"}
    some = listed(objects, "samples", metrics="$pendingtasks, $CurrentDedicatedNodes,$None")
    assert {name for each in some for name in each["values"]} == {"$PendingTasks", "$CurrentDedicatedNodes"}
    assert all(each["values"] == {} for each in listed(objects, "samples", metrics=""))


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        {"starttime": "yesterday"},
        {"endtime": "2026-13-01"},
        {"newestfirst": "perhaps"},
        {"maxresults": "0"},
        {"$skiptoken": "x"},
        {"$skiptoken": "nan"},
        {"$skiptoken": "inf"},
    ],
)
def test_bad_queries_are_refused_by_name(objects, what, query):
    with pytest.raises(RequestRefused, match=next(iter(query)).replace("$", r"\$")) as refused:
        listed(objects, what, **query)
    assert refused.value.code == "InvalidQueryParameterValue"


@pytest.mark.parametrize("what", LISTS)
def test_a_pool_of_which_nothing_is_kept(objects, what):
    with pytest.raises(RequestRefused, match="'none' does not exist") as refused:
        next(objects.each("pools", "none", what))
    assert refused.value.code == "PoolNotFound"


def test_what_does_not_exist_cannot_be_selected(objects):
    with pytest.raises(RequestRefused, match="there is no property 'formula'"):
        listed(objects, "autoscaleruns", **{"$select": "formula"})
