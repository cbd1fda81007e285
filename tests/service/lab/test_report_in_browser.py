"""The report in a real browser: laptop and phone, mouse, fingers and keyboard, light and dark."""

import msgspec
import pytest
from msgspec.structs import replace

from service.lab.report import report_page
from service.lab.report.browser import Browser

from .browsing import (
    LAPTOP,
    OVERHANG,
    PHONE,
    canvas,
    drawn,
    mouse,
    needs_browser,
    press,
    settled,
    span,
    text_of,
    told_of,
)
from .synthetic import ALWAYS, PENDING, WORKDAY, synthetic

pytestmark = needs_browser


@pytest.fixture(scope="module")
def outcome():
    return synthetic({"pending": PENDING, "workday": WORKDAY, "always": ALWAYS}, days=2)


@pytest.fixture(scope="module")
def page(outcome, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(outcome), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.mark.parametrize("size", [LAPTOP, (1440, 900), PHONE], ids=str)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_is_drawn(browser, page, size, dark):
    browser.open(page, *size, dark=dark)
    assert browser.evaluate(OVERHANG) <= 0
    style = "getComputedStyle(document.body)"
    background, ink = browser.evaluate(f"[{style}.backgroundColor, {style}.color]")
    lightness = [sum(int(part) for part in colour[4:-1].split(",")) / 3 for colour in (background, ink)]
    assert (lightness[0] < 60 and lightness[1] > 200) if dark else (lightness[0] > 200 and lightness[1] < 60)
    painted = browser.evaluate(
        "[...document.querySelectorAll('#plots canvas')].map(each => new Set(new Uint32Array("
        "each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size)"
    )
    assert len(painted) == 6
    assert min(painted) >= 3, painted  # colours: none is empty
    assert browser.evaluate("document.querySelectorAll('#scatter .point').length") == 3


def test_a_click_explains_the_run_statement_by_statement(browser, page, outcome):
    browser.open(page, *LAPTOP)
    left, top, width, height = canvas(browser, 0)
    x, y = left + 46 + (width - 46) * 0.25, top + height / 2
    mouse(browser, "mousePressed", x, y)
    mouse(browser, "mouseReleased", x, y)
    # A quarter of two days, a run every five minutes.
    settled(browser, "document.getElementById('why').innerText.includes('12:00 UTC, run 145')")
    told = text_of(browser, "#why")
    before, after = outcome.runs[0].autoscale.dedicated[143:145]
    assert (f"Target {before} → {after}" if before != after else f"Target stays {after}") in told
    assert "samplesPresent = $PendingTasks.GetSamplePercent(window)" in told
    assert "of 5 samples" in told
    assert "is false, so max(0, $PendingTasks.GetSample(window)" in told
    assert "= taskcompletion" in told


def test_keys_go_from_run_to_run_and_from_change_to_change(browser, page, outcome):
    browser.open(page, *LAPTOP)
    made = outcome.runs[0].autoscale
    targets = [0, *made.dedicated]
    changes = [number for number in range(len(made.times)) if targets[number] != targets[number + 1]]
    assert changes[0] > 0  # so the first run is none
    for key, times, number in (
        *(("Home", 1, 0), ("ArrowRight", 3, 3), ("ArrowLeft", 1, 2), ("End", 1, 575), ("ArrowRight", 1, 575)),
        *(("Home", 1, 0), ("PageDown", 2, changes[1]), ("PageUp", 1, changes[0])),
    ):
        press(browser, key, times)
        told_of(browser, number)
    browser.evaluate("document.getElementById('run-after').click()")
    told_of(browser, changes[0] + 1)


def test_zooming_and_moving(browser, page):
    browser.open(page, *LAPTOP)
    assert span(browser).endswith("(48 h)") or span(browser).endswith("(2 days)")
    press(browser, "+", 2)
    middle = span(browser)
    assert middle.endswith("(12 h)")
    press(browser, "ArrowRight", shift=True)
    assert span(browser) != middle
    assert span(browser).endswith("(12 h)")
    press(browser, "0")
    left, top, width, height = canvas(browser, 2)
    y = top + height / 2
    mouse(browser, "mousePressed", left + 46 + (width - 46) * 0.5, y)
    mouse(browser, "mouseMoved", left + 46 + (width - 46) * 0.6, y)
    mouse(browser, "mouseReleased", left + 46 + (width - 46) * 0.75, y)
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert span(browser).startswith("15 Nov 2023 00:00 to 15 Nov 2023 1")
    assert 11.9 < float(span(browser).split("(")[1].split(" h")[0]) < 12.1
    mouse(browser, "mouseWheel", left + width / 2, y, deltaX=0, deltaY=-200, modifiers=2)
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert not span(browser).endswith("(12 h)")
    browser.evaluate("document.getElementById('zoom-all').click()")
    assert "14 Nov 2023 00:00 to 16 Nov 2023 00:00" in span(browser)


def test_fingers_tap_and_move(browser, page, outcome):
    browser.open(page, *PHONE)
    press(browser, "+", 2)
    before = span(browser)
    left, top, width, height = canvas(browser, 0)
    middle = {"x": left + 46 + (width - 46) / 2, "y": top + height / 2}

    def touch(kind, *points):
        browser.ask("Input.dispatchTouchEvent", type=kind, touchPoints=list(points))

    touch("touchStart", middle)
    touch("touchEnd")
    # The middle of what is seen: half a day around the middle of two days, or around the run that is told at first.
    begin, end = (browser.evaluate(f"Date.parse('{each} UTC')") / 1000 for each in before.split(" (")[0].split(" to "))
    told_of(browser, round(((begin + end) / 2 - outcome.scenario.start) / 300))
    assert span(browser) == before
    touch("touchStart", middle)
    touch("touchMove", {**middle, "x": middle["x"] + 40})
    touch("touchMove", {**middle, "x": middle["x"] + 80})
    touch("touchEnd")
    moved = span(browser)
    assert moved != before
    assert moved.endswith("(12 h)")
    one, other = {**middle, "id": 1}, {**middle, "x": middle["x"] + 30, "id": 2}
    touch("touchStart", one, other)
    touch("touchMove", one, {**other, "x": other["x"] + 30})
    touch("touchEnd")
    assert span(browser).endswith("(6 h)")


def test_on_a_phone_the_decision_stays_in_sight_beside_the_charts(browser, page):
    browser.open(page, *PHONE)
    press(browser, "Home")
    told_of(browser, 0)
    canvas(browser, 2)
    seen = browser.evaluate("(box => box.top >= 0 && box.bottom <= innerHeight)(decision.getBoundingClientRect())")
    assert seen
    # Further down it stands where it is read on.
    above = browser.evaluate(
        "(scrollTo(0, 1e6), decision.getBoundingClientRect().bottom <= explanation.getBoundingClientRect().top)"
    )
    assert above
    assert not browser.evaluate("decision.getBoundingClientRect().bottom > innerHeight")


def test_who_began_with_nodes_sees_that_the_first_run_changed_nothing(browser, outcome, tmp_path):
    began = msgspec.structs.replace(outcome.scenario, initial_targets=(12, 0))
    path = tmp_path / "report.html"
    path.write_text(
        report_page(msgspec.structs.replace(outcome, scenario=began, runs=outcome.runs[2:])), encoding="utf-8"
    )
    browser.open(path, *LAPTOP)
    told_of(browser, 0)
    assert "Target stays 12" in text_of(browser, "#why")
    assert "0 changed the target" in text_of(browser, "#plots")
    assert "$TargetDedicatedNodes = 12;" in text_of(browser, "details[open] pre")


def test_another_formula_is_shown_at_the_same_moment(browser, page, outcome):
    browser.open(page, *LAPTOP)
    press(browser, "Home")
    press(browser, "ArrowRight", 100)
    told_of(browser, 100)
    browser.evaluate(
        "document.querySelectorAll('#scatter .point:not(.shown)')[0].dispatchEvent(new MouseEvent('click'))"
    )
    settled(browser, "document.getElementById('explanation').innerText.includes('inOffice')")
    told_of(browser, 100)
    assert browser.evaluate("document.getElementById('formula').value") == "1"
    pressed = "[...document.querySelectorAll('#scatter [aria-pressed=true]')].map(each => each.ariaLabel)"
    assert [name.split(":")[0] for name in browser.evaluate(pressed)] == ["workday"]


def test_the_pointer_reads_the_charts(browser, page, outcome):
    browser.open(page, *LAPTOP)
    left, top, width, _ = canvas(browser, 3)
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=left + 46 + (width - 46) * 0.25, y=top + 20)
    drawn(browser)
    series, row = outcome.runs[0].series, 12 * 60
    read = {
        line.strip(): value
        for line, value in browser.evaluate(
            "[...document.querySelectorAll('.key')].filter(key => key.querySelector('output'))"
            ".map(key => [key.innerText.replace(/[0-9.,]+$/, ''), key.querySelector('output').textContent])"
        )
    }
    near = [series.queue[row + by] for by in (-2, -1, 0, 1, 2)]
    assert int(read["queue"]) in near
    assert int(read["target"]) in series.target_dedicated[row - 5 : row + 5]


def test_the_cost_grows_between_events(browser, tmp_path, outcome):
    """Of a node that is always there, whatever happens: in the middle of the time it has cost the half."""
    run, hour = outcome.runs[0], 3600.0
    columns = {name: [0, 0] for name in run.series.__struct_fields__ if name not in ("end", "times", "cost")}
    series = replace(run.series, end=8 * hour, times=[0.0, 8 * hour], cost=[0.0, 16.0], **columns)
    path = tmp_path / "steady.html"
    path.write_text(report_page(replace(outcome, runs=[replace(run, series=series)])), encoding="utf-8")
    browser.open(path, *LAPTOP)
    left, top, width, _ = canvas(browser, 3)
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=left + 46 + (width - 46) * 0.5, y=top + 20)
    drawn(browser)
    read = browser.evaluate(
        "[...document.querySelectorAll('.key')].find(key => key.innerText.startsWith('cost'))"
        ".querySelector('output').textContent"
    )
    assert float(read) == pytest.approx(8.0, abs=0.1)


def test_who_reads_with_ears_is_told(browser, page):
    browser.open(page, *LAPTOP)
    press(browser, "Home")
    tree = browser.ask("Accessibility.getFullAXTree")["nodes"]
    named = {(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in tree}
    assert ("heading", "Over time UTC") in named
    assert ("button", "Zoom in") in named
    assert ("group", "Charts over time") in named
    images = [name for role, name in named if role == "image"]
    assert any(name.startswith("Demand and target, nodes, from 0 to ") for name in images)
    assert browser.evaluate("document.getElementById('decision').ariaLive") == "polite"
    unnamed = [node["role"]["value"] for node in tree if node.get("role", {}).get("value") in ("button", "combobox")
               and not node.get("name", {}).get("value")]  # fmt: skip
    assert unnamed == []
