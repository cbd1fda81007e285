"""What the page's scripts compute, against the same computed plainly: no peak is lost, areas stay what they are."""

import json
import random
from bisect import bisect_right
from math import inf

import pytest

from service.lab.report import report_page
from service.lab.report.browser import Browser

from .browsing import LAPTOP, needs_browser
from .synthetic import ALWAYS, synthetic

pytestmark = needs_browser


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Calls a function of the page with JSON; numbers that are none come back as None."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(synthetic({"always": ALWAYS}, days=0.1)), encoding="utf-8")
    with Browser() as browser:
        browser.open(path, *LAPTOP)

        def call(expression, **values):
            names = ", ".join(values)
            told = f"JSON.stringify((({{{names}}}) => {expression})({json.dumps(values)}), (_, value) =>"
            plain = "ArrayBuffer.isView(value) ? [...value] : value)"
            return json.loads(browser.evaluate(told + plain))

        yield call


def columns(rng, rows):
    """Rows at irregular times, and a window over them, which may reach beyond them."""
    times, time = [], rng.uniform(0, 50)
    for _ in range(rows):
        times.append(time)
        time += rng.choice([0.5, 1, 7, 40])
    end = time + rng.choice([0, 30])
    low = rng.uniform(-20, end)
    window = {"from": low, "to": rng.uniform(low + 1, end + 60), "width": rng.choice([1, 3, 40, 300])}
    return times, [rng.randrange(9) for _ in times], end, window


def steps(times, values, end, low, high):
    """(value, seconds) of the steps between two moments; one that only begins at `low` counts, with its seconds."""
    at = max(0, bisect_right(times, low) - 1)
    for row in range(at, len(times)):
        until = times[row + 1] if row + 1 < len(times) else inf
        begin, stop = max(times[row], low), min(until, high, end)
        if begin < stop or (row == at and begin <= low < end):
            yield values[row], max(0.0, stop - begin)


@pytest.mark.parametrize("seed", range(40))
def test_pixels_tell_the_least_the_greatest_and_the_mean_of_their_rows(script, seed):
    rng = random.Random(seed)
    times, values, end, window = columns(rng, rng.choice([1, 2, 30, 2000]))
    given = {"times": times, "values": values, "end": end, "view": window}
    seen = script("extremes(times, values, end, view)", **given)
    mean = script("means(times, values, integral(times, values), end, view)", **given)
    per_pixel = (window["to"] - window["from"]) / window["width"]
    close = 1e-6 * per_pixel
    for pixel in range(window["width"]):
        low = window["from"] + pixel * per_pixel
        there = list(steps(times, values, end, low, low + per_pixel))
        seconds = sum(length for _, length in there)
        if seconds <= close:
            continue  # at an edge either is right
        inside = {value for value, length in there if length > close or len(there) == 1}
        around = {value for value, _ in steps(times, values, end, low - close, low + per_pixel + close)}
        assert seen["leasts"][pixel] in around
        assert seen["greatests"][pixel] in around
        assert seen["leasts"][pixel] <= min(inside)
        assert seen["greatests"][pixel] >= max(inside)
        assert mean[pixel] == pytest.approx(sum(value * length for value, length in there) / seconds, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_areas_are_what_they_were(script, seed):
    times, values, end, window = columns(random.Random(seed), 500)
    whole = {**window, "from": times[0], "to": end}
    given = {"times": times, "values": values, "end": end, "view": whole}
    mean = script("means(times, values, integral(times, values), end, view)", **given)
    area = sum(mean) * (whole["to"] - whole["from"]) / whole["width"]
    assert area == pytest.approx(sum(value * length for value, length in steps(times, values, end, times[0], end)))


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0]), (1, [0, 0.5, 1]), (4, [0, 1, 2, 3, 4]), (87, [0, 50]), (0.034, [0, 0.01, 0.02, 0.03]), (1e7, None)],
)
def test_value_axes(script, most, ticks):
    found = script("valueTicks(most, 4)", most=most)
    assert len(found) <= 6
    assert found[-1] <= most * 1.001
    if ticks is not None:
        assert found == pytest.approx(ticks)


DAY = 86400
TUESDAY = 1_699_920_000  # 2023-11-14


@pytest.mark.parametrize(
    ("start", "length", "count", "texts"),
    [
        (TUESDAY, 3600, 4, ["14 Nov", "00:30", "01:00"]),
        (TUESDAY, 100, 4, ["14 Nov", "00:00:30", "00:01:00", "00:01:30"]),
        (TUESDAY, 2 * DAY, 4, ["14 Nov", "12:00", "15 Nov", "12:00", "16 Nov"]),
        (TUESDAY, 30 * DAY, 5, ["20 Nov", "27 Nov", "4 Dec", "11 Dec"]),  # Mondays
        (TUESDAY, 365 * DAY, 6, ["2024", "Mar", "May", "Jul", "Sep", "Nov"]),
        (
            TUESDAY,
            365 * DAY,
            12,
            ["Dec", "2024", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"],
        ),
    ],
)
def test_time_axes(script, start, length, count, texts):
    found = script("timeTicks(start, stop, count)", start=start, stop=start + length, count=count)
    assert [each["text"] for each in found] == texts
    assert all(start <= each["time"] <= start + length for each in found)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (0.25, "0.25 s"), (150, "2.5 min"), (8000, "2.22 h"), (864000, "10 days")]
)
def test_durations(script, seconds, told):
    assert script("toldDuration(seconds)", seconds=seconds) == told


def test_names_beside_points_cover_nothing(script):
    rng = random.Random(5)
    dots = [{"x": rng.uniform(60, 480), "y": rng.uniform(40, 300), "name": "formula"} for _ in range(25)]
    edges = {"left": 50, "right": 500, "top": 30, "bottom": 310, "lines": [200, 300]}
    labels = script("placedLabels(dots, 3, edges)", dots=dots, edges=edges)
    assert labels[3] is not None
    boxes = [(label["x"], label["y"]) for label in labels if label is not None]
    assert len(boxes) > 5
    for number, (left, middle) in enumerate(boxes):
        for other, next_middle in boxes[:number]:
            assert abs(left - other) > 40 or abs(middle - next_middle) > 13
        for dot in dots:
            assert not (left < dot["x"] < left + 40 and abs(dot["y"] - middle) < 7)


def test_a_name_keeps_off_the_lines_of_bounds_where_it_can(script):
    dots = [{"x": 250, "y": 150, "name": "formula"}]
    edges = {"left": 50, "right": 500, "top": 30, "bottom": 310}

    def place(*lines):
        (label,) = script("placedLabels(dots, 0, edges)", dots=dots, edges={**edges, "lines": lines})
        return label["x"], label["y"]

    beside = place()
    assert beside == (261, 150)
    assert place(280)[0] < 250
    assert place(280, 210) == (pytest.approx(224.1, abs=3), 135)
    assert place(280, 210, 250) == beside  # nowhere
