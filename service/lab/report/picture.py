"""The report as a picture: the page, as a browser shows it."""

from __future__ import annotations

from pathlib import Path

from ...whole_file import write_whole
from .browser import Browser

_WIDTH, _HEIGHT = 1280, 900
#: Pixels of the picture for one of the page, so that it can be printed.
_SCALE = 2.0
#: A page is as long as its content; pictures longer than this no browser makes.
_MOST_HEIGHT = 8000
#: Pixels of the table of figures that a window so wide does not show.
_HIDDEN = "(table => table.scrollWidth - table.clientWidth)(document.querySelector('.scrolled'))"
#: Done when what follows from another size has been drawn.
_DRAWN = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


def take_picture(page: Path, picture: Path, *, dark: bool = False) -> None:
    """Write the whole page as PNG. Raises NoBrowser with the cure, OSError."""
    with Browser() as browser:
        browser.open(page, _WIDTH, dark=dark)
        # What can be scrolled to in a page is cut off in a picture.
        hidden = int(browser.evaluate(_HIDDEN))
        browser.resize(_WIDTH + hidden, _HEIGHT, _SCALE)
        browser.evaluate(_DRAWN)
        height = int(browser.evaluate("document.documentElement.scrollHeight"))
        browser.resize(_WIDTH + hidden, min(height, _MOST_HEIGHT), _SCALE)
        browser.evaluate(_DRAWN)
        write_whole(picture, browser.picture())
