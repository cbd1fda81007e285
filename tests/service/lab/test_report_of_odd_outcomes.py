"""The page in a real browser where the outcome is hostile, empty or long."""

from statistics import median

import msgspec
import pytest

from service.lab.report import report_page
from service.lab.report.browser import Browser

from .browsing import LAPTOP, OVERHANG, PHONE, needs_browser, press, text_of
from .synthetic import ALWAYS, PENDING, synthetic

pytestmark = needs_browser

replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def outcome():
    return synthetic({"pending": PENDING}, days=1)


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


def test_names_of_users_do_nothing(browser, outcome, tmp_path):
    hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    run = outcome.runs[0]
    text = f"// {hostile}\n" + PENDING
    named = replace(run, figures=replace(run.figures, formula=hostile), text=text)
    told = replace(outcome, scenario=replace(outcome.scenario, name=hostile, description=hostile), runs=[named])
    path = tmp_path / "report.html"
    path.write_text(report_page(told), encoding="utf-8")
    browser.open(path, *PHONE)
    press(browser, "End")
    assert browser.evaluate("document.title").startswith(hostile)
    assert text_of(browser, "h1") == hostile
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert browser.evaluate(OVERHANG) <= 0


@pytest.mark.parametrize("rows", [0, 1])
def test_a_run_without_anything_is_drawn(browser, outcome, tmp_path, rows):
    """No evaluation, no task, no node; twelve formulas of long names."""
    run = outcome.runs[0]
    series = {name: [0] * rows for name in run.series.__struct_fields__ if name not in ("end", "times")}
    made: dict[str, list[int]] = {name: [] for name in run.autoscale.__struct_fields__ if name != "errors"}
    wait = type(run.figures.wait)(mean=0.0, p50=0.0, p95=0.0, p99=0.0, max=0.0)
    empty = replace(
        run,
        series=replace(run.series, times=[0.0] * rows, end=0.0, **series),
        autoscale=replace(run.autoscale, errors={}, **made),
        samples=replace(run.samples, values={}),
        figures=replace(run.figures, wait=wait, cost=0.0),
    )
    runs = [
        replace(empty, figures=replace(empty.figures, formula=f"{number}-" + "long" * 12, cost=12.0 - number))
        for number in range(12)
    ]
    path = tmp_path / "report.html"
    path.write_text(report_page(replace(outcome, runs=runs, bounds=None)), encoding="utf-8")
    for size in (LAPTOP, PHONE):
        browser.open(path, *size)
        press(browser, "End")
        press(browser, "+")
        assert browser.evaluate(OVERHANG) <= 0
        assert browser.evaluate("document.querySelectorAll('#scatter .point').length") == 12


@pytest.mark.slow
def test_a_year_of_five_minutes_stays_fluid(browser, tmp_path):
    year = synthetic({"always": ALWAYS}, days=365, step=300.0)
    assert len(year.runs[0].series.times) == 105_120
    path = tmp_path / "year.html"
    path.write_text(report_page(year, most_explained=200), encoding="utf-8")
    browser.open(path, *LAPTOP)
    frames = browser.evaluate("""(async () => {
        const plots = document.getElementById("plots"), spent = [];
        for (const key of [..."0+-0+-0+-++++++------0"]) {
            let before;
            requestAnimationFrame(() => { before = performance.now(); });
            plots.dispatchEvent(new KeyboardEvent("keydown", { key }));
            await new Promise(requestAnimationFrame);
            spent.push(performance.now() - before);
        }
        return spent;
    })()""")
    # A frame of a screen is 16 ms; this machine may be busy with others.
    assert median(frames) < 50, frames
