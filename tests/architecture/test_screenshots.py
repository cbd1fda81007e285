"""The pictures in the documents are those that `make screenshots` takes, small, and shown somewhere."""

from base64 import b64encode

import pytest

from service.lab.report.browser import Browser
from tests.service.lab.browsing import needs_browser

from .small_png import small_png
from .test_docs import TEXT
from .write_screenshots import IMAGES, MOST, SCREENSHOTS

PICTURES = sorted(IMAGES.iterdir())


def test_each_can_be_taken_again():
    assert {path.name for path in PICTURES} == {f"{shot.name}.png" for shot in SCREENSHOTS}


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_each_is_small_and_shown(path):
    assert path.stat().st_size <= MOST
    assert f"images/{path.name})" in TEXT or f'images/{path.name}"' in TEXT


#: Pixels as numbers, of a picture in base64.
PIXELS = """
(async () => {
  const image = new Image();
  image.src = "data:image/png;base64,PICTURE";
  await image.decode();
  const { width, height } = image, sheet = new OffscreenCanvas(width, height).getContext("2d");
  sheet.drawImage(image, 0, 0);
  return [width, height, ...new Uint32Array(sheet.getImageData(0, 0, width, height).data.buffer)];
})()
"""


@needs_browser
def test_a_picture_of_few_colours_stays_what_it_is(tmp_path):
    page = tmp_path / "page.html"
    stripes = "".join(f"<i style='background:#{number:x}0{15 - number:x}'></i>" for number in range(16))
    style = "<style>body{margin:0}i{display:block;height:2px}</style>"
    page.write_text(f"<html data-ready=yes>{style}{stripes}", encoding="utf-8")
    with Browser() as browser:
        browser.open(page, 60, 40)
        whole = browser.picture()
        small = small_png(browser)
        one, other = (browser.evaluate(PIXELS.replace("PICTURE", b64encode(each).decode())) for each in (whole, small))
    assert one == other
    assert one[:2] == [60, 40] and len(set(one[2:])) == 17
