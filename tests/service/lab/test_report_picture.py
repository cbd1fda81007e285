"""The report as a picture, and the browser that takes it."""

import struct
import zlib

import pytest

from service.lab.report import NoBrowser, report_page, take_picture
from service.lab.report.browser import Browser, found_browser

from .browsing import needs_browser
from .synthetic import PENDING, synthetic


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(synthetic({"pending": PENDING}, days=1)), encoding="utf-8")
    return path


@needs_browser
def test_the_picture_is_the_whole_page(page, tmp_path):
    picture = tmp_path / "report.png"
    take_picture(page, picture)
    content = picture.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert width == 2560
    assert height > 2 * 1500
    assert len(zlib.compress(content)) > 50_000  # there is something on it


def test_without_a_browser_the_cure_is_told(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match="apt-get install chromium"):
        take_picture(page, tmp_path / "report.png")
    assert list(tmp_path.iterdir()) == []


@needs_browser
def test_one_that_hangs_as_it_starts_is_replaced(tmp_path, monkeypatch):
    program = tmp_path / "chromium"
    program.write_text(f'#!/bin/sh\nif mkdir {tmp_path}/hung; then sleep 1000; fi\nexec {found_browser()} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr("service.lab.report.browser._PATIENCE_AT_START", 5.0)
    monkeypatch.setattr("service.lab.report.browser._STARTS", 20)
    with Browser(str(program)) as started:
        assert started.evaluate("6 * 7") == 42
    assert (tmp_path / "hung").is_dir()


@pytest.mark.parametrize("program", ["/bin/false", "/nowhere/chromium"])
def test_a_browser_that_is_none_is_an_error(program):
    with pytest.raises(NoBrowser, match=program), Browser(program):
        pass
