"""The page without a browser: what stands in it, and that nothing can break out of it."""

import gzip
import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.report.packing import column
from service.lab.report.page import CHUNK, report_page
from service.lab.report.wording import told_duration, told_hours, told_ratio

from .synthetic import ALWAYS, PENDING, WORKDAY, synthetic

replace = msgspec.structs.replace
OUTCOME = synthetic({"pending": PENDING, "workday": WORKDAY, "always": ALWAYS}, days=1)
PAGE = report_page(OUTCOME)
assert OUTCOME.bounds is not None
BOUNDS = OUTCOME.bounds


class Page(HTMLParser):
    """Elements with their attributes, and the texts of table cells."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows = [], []
        self._cell = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data):
        if self._cell:
            self.rows[-1][-1] += data


def carried(page, name):
    (content,) = re.findall(rf'<script type="text/plain" id="{name}">([A-Za-z0-9+/=]*)</script>', page)
    return json.loads(gzip.decompress(b64decode(content)))


def numbers(packed):
    return [value * packed["unit"] for value in accumulate(packed["differences"])]


def test_the_same_outcome_gives_the_same_page():
    assert report_page(OUTCOME) == PAGE


def test_it_loads_nothing():
    elements = Page(PAGE).elements
    assert not [tag for tag, _ in elements if tag in ("link", "img", "iframe", "base", "object", "form")]
    assert not [given for _, given in elements if "src" in given or "href" in given]
    policy = next(given for tag, given in elements if given.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(|https?://(?!www\.w3\.org/2000/svg)", PAGE)


def test_the_table_tells_the_figures_beside_the_bounds():
    rows = {row[0]: row[1:] for row in Page(PAGE).rows if row}
    assert rows["Figure"] == ["pending", "workday", "always", "Optimum", "Break-even", "Work alone"]
    costs = [run.figures.cost for run in OUTCOME.runs]
    assert BOUNDS.work_alone is not None
    told = [float(cell.removeprefix("≥ ").split()[0]) for cell in rows["Cost"]]
    bounds = [BOUNDS.optimum.cost, BOUNDS.break_even.cost, BOUNDS.work_alone.cost]
    assert told == pytest.approx([*costs, *bounds], abs=0.005)
    assert [cell.startswith("≥ ") for cell in rows["Cost"]] == [False, False, False, False, True, False]
    least = costs.index(min(costs))
    assert [cell.endswith("(least)") for cell in rows["Cost"][:3]] == [number == least for number in range(3)]
    assert rows["Cost / optimum"][least].startswith("1.41×")
    assert rows["Cost / optimum"][3] == "1.00×"
    assert rows["Evictions"] == ["0", "0", "0", "", "", ""]  # all alike: none is the best


def test_who_leaves_tasks_undone_is_not_the_best_at_what_he_did():
    runs = []
    for formula, cost, unfinished in (("lazy", 1.0, 5000), ("diligent", 9.0, 1), ("dear", 12.0, 0)):
        figures = replace(OUTCOME.runs[0].figures, formula=formula, cost=cost, unfinished=unfinished)
        runs.append(replace(OUTCOME.runs[0], figures=figures))
    rows = {row[0]: row[1:4] for row in Page(report_page(replace(OUTCOME, runs=runs))).rows if row}
    assert rows["Cost"] == ["1.00", "9.00 (least)", "12.00"]
    assert rows["Tasks that did not end"] == ["5,000", "1", "0 (least)"]
    assert rows["Flaps"] == [str(OUTCOME.runs[0].figures.flaps)] * 3


def test_who_did_nothing_is_no_example():
    nothing = replace(OUTCOME.runs[0].figures, formula="idle", cost=0.0, tasks=0, unfinished=700)
    errors = replace(OUTCOME.runs[0].autoscale, errors={0: "no samples", 1: "no samples"})
    fine = replace(OUTCOME.runs[0], autoscale=replace(OUTCOME.runs[0].autoscale, errors={}))
    outcome = replace(OUTCOME, runs=[replace(fine, figures=nothing, autoscale=errors), fine])
    page = report_page(outcome)
    rows = {row[0]: row[1:3] for row in Page(page).rows if row}
    cost = f"{fine.figures.cost:.2f}"
    assert rows["Cost"] == ["0.00", cost]  # of one formula that did its work none is the least
    assert rows["Cost / optimum"][0] == rows["Mean"][0] == rows["Last task ended after"][0] == "–" != rows["Mean"][1]
    assert rows["Autoscale runs failed"] == ["2", "0"]
    assert "Formulas in grey left tasks undone" in page and "in grey" not in PAGE


def test_what_is_told_alike_is_as_good():
    runs = []
    for formula, makespan in (("slow", 90000.0), ("fast", 80000.4), ("as fast", 80000.6)):
        figures = replace(OUTCOME.runs[0].figures, formula=formula, makespan=makespan)
        runs.append(replace(OUTCOME.runs[0], figures=figures))
    rows = {row[0]: row[1:4] for row in Page(report_page(replace(OUTCOME, runs=runs))).rows if row}
    assert rows["Last task ended after"] == ["25.0 h", "22.2 h (least)", "22.2 h (least)"]


def test_the_formulas_stand_in_it():
    assert PAGE.count("<details>") == 3 and "$TargetDedicatedNodes = 12;</pre>" in PAGE
    alone = report_page(replace(OUTCOME, runs=OUTCOME.runs[:1]))
    assert "<details open>" in alone and "hour &lt; 18" not in alone


def test_columns_come_out_as_they_went_in():
    run = OUTCOME.runs[0]
    packed = carried(PAGE, "run-0")
    series = run.series
    given = {"times": series.times, "queue": series.queue, "targetDedicated": series.target_dedicated}
    for name, told in given.items():
        assert numbers(packed["series"][name]) == pytest.approx(told)
    assert numbers(packed["series"]["cost"]) == pytest.approx(run.series.cost, abs=run.figures.cost / 1e5)
    assert numbers(packed["runs"]["times"]) == pytest.approx(run.autoscale.times)
    assert {int(number) for number in packed["errors"]} == set(run.autoscale.errors)


def test_every_run_finds_its_explanation():
    about = carried(PAGE, "about")
    assert about["chunk"] == CHUNK
    for number, run in enumerate(OUTCOME.runs):
        explained = about["runs"][number]["explained"]
        assert explained == list(range(len(run.autoscale.times)))
        for place in (0, CHUNK - 1, CHUNK, len(explained) - 1):
            chunk = carried(PAGE, f"why-{number}-{place // CHUNK}")
            assert chunk[place % CHUNK][0] == explained[place]


def test_explanations_have_a_bound():
    counts: list[int] = []
    page = report_page(OUTCOME, most_explained=30, explained=counts.append)
    assert counts == [10, 10, 10]
    assert [len(run["explained"]) for run in carried(page, "about")["runs"]] == [10, 10, 10]


HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror=alert(1)> {{style}} "\' & <!--'


def test_names_and_texts_of_users_stay_text():
    scenario = replace(OUTCOME.scenario, name=HOSTILE, description=HOSTILE)
    run = OUTCOME.runs[0]
    named = replace(run, figures=replace(run.figures, formula=HOSTILE), text=f"// {HOSTILE}\n{PENDING}")
    page = Page(report_page(replace(OUTCOME, scenario=scenario, runs=[named])))
    plain = Page(report_page(replace(OUTCOME, runs=[run])))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.rows[0][1] == HOSTILE


def test_without_runs_there_is_no_report():
    with pytest.raises(ValueError, match="needs a run"):
        report_page(replace(OUTCOME, runs=[]))


def test_one_that_was_stopped_early_says_so():
    page = report_page(replace(OUTCOME, scenario=replace(OUTCOME.scenario, stopped_at=7200.0)))
    assert "<dt>Stopped early</dt><dd>always, after 2 h</dd>" in page


@given(st.lists(st.integers(-(10**12), 10**12)), st.sampled_from([1.0, 0.001, 0.01]))
def test_packed_columns_lose_nothing(values, unit):
    packed = column([value * unit for value in values], unit)
    assert [round(value / unit) for value in numbers(packed)] == values


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"), (0.25, "0.25 s"), (59.96, "60.0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"),
        (7200, "2 h"), (100000, "27.8 h"), (172800, "2 days"), (31536000, "365 days"),
    ],
)  # fmt: skip
def test_durations(seconds, told):
    assert told_duration(seconds) == told


def test_hours_and_ratios():
    assert [told_hours(value) for value in (0, 1800, 36000, 4e9)] == ["0", "0.5", "10.0", "1,111,111"]
    assert [told_ratio(3, 2), told_ratio(1, 0)] == ["1.50×", "–"]
