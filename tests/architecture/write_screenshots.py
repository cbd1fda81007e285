"""Write the pictures of reports that the documents show: `make screenshots`. Needs Chromium."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from service.cli import main
from service.lab.report.browser import Browser

from .small_png import small_png
from .sources import ROOT

IMAGES = ROOT / "docs/images"
#: Bytes of a picture at most.
MOST = 150_000
_LAPTOP, _PHONE = (1440, 900), (390, 844)
_DRAWN = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
_TO_THE_CHARTS = "scrollTo(0, document.getElementById('time-title').getBoundingClientRect().top + scrollY - 24)"
_LOW_PRIORITY_IS_TOLD = (
    "new Promise(told => { const look = () => document.getElementById('decision').textContent.includes('low-priority')"
    " ? told() : setTimeout(look, 20); look(); })"
)


@dataclass(frozen=True)
class Screenshot:
    """`deeds`: what is done to the page before, as scripts."""

    name: str
    scenario: str
    size: tuple[int, int]
    dark: bool = False
    deeds: tuple[str, ...] = ()


SCREENSHOTS = (
    Screenshot("report-over-time", "cluster", _LAPTOP, deeds=(_TO_THE_CHARTS,)),
    Screenshot("report-figures-dark", "office-hours", _LAPTOP, dark=True),
    Screenshot("report-phone", "nightly", _PHONE),
    Screenshot(
        "report-phone-dark",
        "nightly",
        _PHONE,
        dark=True,
        deeds=(
            "document.querySelector('#scatter .point:not(.shown)').dispatchEvent(new MouseEvent('click'))",
            _LOW_PRIORITY_IS_TOLD,
            *("document.getElementById('zoom-in').click()",) * 7,
            _TO_THE_CHARTS,
        ),
    ),
)


def take(browser: Browser, page: Path, shot: Screenshot) -> bytes:
    width, height = shot.size
    browser.ask("Emulation.setTouchEmulationEnabled", enabled=shot.size == _PHONE, maxTouchPoints=2)
    browser.open(page, width, height, dark=shot.dark)
    for deed in (*shot.deeds, _DRAWN):
        browser.evaluate(deed)
    return small_png(browser)


def write_all(folder: Path) -> None:
    with TemporaryDirectory() as made, Browser() as browser:
        for name in dict.fromkeys(shot.scenario for shot in SCREENSHOTS):
            scenario = ROOT / f"examples/scenarios/{name}.yaml"
            main(["simulate", str(scenario), "--out", f"{made}/{name}", "--json"], standalone_mode=False)
        folder.mkdir(exist_ok=True)
        for shot in SCREENSHOTS:
            content = take(browser, Path(made, shot.scenario, "report.html"), shot)
            if len(content) > MOST:
                raise SystemExit(f"{shot.name}.png has {len(content)} bytes; at most {MOST}")
            (folder / f"{shot.name}.png").write_bytes(content)


if __name__ == "__main__":
    write_all(IMAGES)
