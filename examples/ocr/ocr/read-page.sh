#!/bin/sh
# read-page.sh PAGE: what stands on pages/PAGE.png is written to PAGE.txt.
set -eu
page=$1
if command -v tesseract >/dev/null; then
    # one slot, one thread
    OMP_THREAD_LIMIT=1 tesseract --psm 6 "$(dirname "$0")/pages/$page.png" "$page" quiet
else
    echo "(no tesseract on this node: apt-get install tesseract-ocr)" >"$page.txt"
fi
