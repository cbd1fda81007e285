from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formula import parse_time
from service.iso8601 import format_duration, format_exactly, format_instant, parse_duration, parse_instant


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10675199)))
def test_what_is_written_reads_the_same(duration):
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(alphabet="PTWDHMSY0123456789.,-+ ", max_size=20))
def test_whatever_is_read_is_a_duration_or_refused_with_a_cure(text):
    try:
        assert parse_duration(text) >= timedelta(0)
    except ValueError as exc:
        assert ";" in str(exc)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30S", 30), ("PT0.5S", 0.5), ("PT0,5S", 0.5), ("PT05M00S", 300), ("PT01H00M00S", 3600), ("P1D", 86400),
        ("P2W", 14 * 86400), ("P1DT12H", 129600), ("PT0S", 0), ("P10675199DT2H48M5.4775807S", 922337203685.477581),
    ],
)  # fmt: skip
def test_durations(text, seconds):
    assert parse_duration(text).total_seconds() == seconds


NONE = ["", "P", "PT", "P1DT", "5", "PT5", "-PT5S", "PT5S5M", "P1M", "P1Y", "PT1e3S", "P9" * 9]


@pytest.mark.parametrize("text", NONE)
def test_no_durations(text):
    with pytest.raises(ValueError, match=r"duration|years or months"):
        parse_duration(text)


def test_instants():
    assert format_instant(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"
    assert parse_instant("2026-01-31T13:00:00+01:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    for bad in ("2026-01-31", "2026-01-31T12:00:00", "tomorrow"):
        with pytest.raises(ValueError, match="write for instance"):
            parse_instant(bad)


@given(st.datetimes(timezones=st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))))
@example(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-14))))
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
def test_whatever_the_offset_is_a_time_is_read_or_refused_with_a_cure(time):
    try:
        assert parse_instant(time.isoformat()) == time
    except ValueError as exc:
        assert "outside the years 1 to 9999" in str(exc) and ";" in str(exc)


@given(st.floats(allow_nan=False))
@example(1e17)
@example(1e300)
@example(float("-inf"))
def test_every_instant_can_be_written(instant):
    again = parse_instant(format_instant(instant)).timestamp()
    assert abs(again - min(max(instant, parse_instant(FIRST).timestamp()), parse_instant(LAST).timestamp())) < 0.002


FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"


@given(st.floats(0, 4.1e9))
def test_what_is_told_exactly_is_read_exactly(instant):
    written = format_exactly(instant)
    assert parse_time(written) == pytest.approx(instant, abs=6e-8)
    if instant > 2**30:  # 2004: seven digits tell one float from the next from there on
        assert parse_time(written) == instant


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0.0, "1970-01-01T00:00:00.0000000Z"),
        (1.99999999, "1970-01-01T00:00:02.0000000Z"),
        (-0.5, "1969-12-31T23:59:59.5000000Z"),
        (1e300, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_told_exactly(instant, text):
    assert format_exactly(instant) == text
