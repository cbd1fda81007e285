"""What a browser shows as PNG with a palette: less than half of what it writes itself, and hardly to be told apart."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode

from service.lab.report.browser import Browser

#: The 256 colours that most pixels have, and for every pixel which of them is nearest; evaluated by a browser, which
#: can read a PNG.
_IN_256_COLOURS = """
(async () => {
  const image = new Image();
  image.src = "data:image/png;base64,PICTURE";
  await image.decode();
  const { width, height } = image, sheet = new OffscreenCanvas(width, height).getContext("2d");
  sheet.drawImage(image, 0, 0);
  const pixels = new Uint32Array(sheet.getImageData(0, 0, width, height).data.buffer), counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const often = [...counts].sort((one, other) => other[1] - one[1] || other[0] - one[0]);
  const most = often.slice(0, 256).map(([pixel]) => pixel);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const palette = most.map(parts), found = new Map(most.map((pixel, number) => [pixel, number]));
  const nearest = (pixel) => {
    const own = parts(pixel);
    const far = palette.map((colour) => Math.hypot(...colour.map((part, which) => part - own[which])));
    return far.indexOf(Math.min(...far));
  };
  let text = "";
  for (const pixel of pixels) {
    if (!found.has(pixel)) found.set(pixel, nearest(pixel));
    text += String.fromCharCode(found.get(pixel));
  }
  return { width, height, palette: palette.flat(), numbers: btoa(text) };
})()
"""


def small_png(browser: Browser) -> bytes:
    """Of what a page shows. The page is gone after it."""
    picture = b64encode(browser.picture()).decode()
    browser.ask("Page.navigate", url="about:blank")
    told = browser.evaluate(_IN_256_COLOURS.replace("PICTURE", picture))
    width, height, numbers = told["width"], told["height"], b64decode(told["numbers"])
    # Each row begins with the number of its filter; 0 is none.
    rows = b"".join(b"\0" + numbers[start : start + width] for start in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", bytes(told["palette"])), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, content) for name, content in parts)


def _part(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
