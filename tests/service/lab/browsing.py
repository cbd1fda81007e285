"""What a user does in a browser, and sees; for tests of the report."""

from __future__ import annotations

import pytest

from service.lab.report.browser import found_browser

needs_browser = pytest.mark.skipif(found_browser() is None, reason="no Chromium here (cure: apt-get install chromium)")

LAPTOP, PHONE = (1366, 900), (360, 780)
#: How far a page reaches beyond its window to the side.
OVERHANG = "document.documentElement.scrollWidth - innerWidth"


def settled(browser, script):
    """The value of an expression, when it is true."""
    return browser.evaluate(f"""new Promise((done, failed) => {{
        const until = Date.now() + 10000;
        const look = () => {{
            const value = {script};
            if (value) done(value);
            else if (Date.now() > until) failed(Error("never"));
            else setTimeout(look, 10);
        }};
        look();
    }})""")


def text_of(browser, selector):
    return browser.evaluate(f"document.querySelector({selector!r}).innerText")


def drawn(browser):
    browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def canvas(browser, number):
    """Left, top, width and height of a chart."""
    browser.evaluate(f"document.querySelectorAll('#plots canvas')[{number}].scrollIntoView({{block: 'center'}})")
    return browser.evaluate(
        f"(({{left, top, width, height}}) => [left, top, width, height])"
        f"(document.querySelectorAll('#plots canvas')[{number}].getBoundingClientRect())"
    )


def mouse(browser, kind, x, y, **more):
    browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1, **more)


def press(browser, key, times=1, shift=False):
    browser.evaluate("document.getElementById('plots').focus({preventScroll: true})")
    for _ in range(times):
        browser.ask("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=8 if shift else 0)
        browser.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
    drawn(browser)


def told_of(browser, number):
    """Waits until the run with this number (from 0) is explained."""
    settled(browser, f"document.querySelector('#decision h4')?.innerText.endsWith(', run {number + 1}')")


def span(browser):
    drawn(browser)
    return text_of(browser, "#span")
