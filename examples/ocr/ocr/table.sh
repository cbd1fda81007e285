#!/bin/sh
# table.sh FOLDER: one line for each text in it.
set -eu
printf '%-6s %5s  %s\n' page words 'first line'
for text in "$1"/*.txt; do
    page=$(basename "$text" .txt)
    printf '%-6s %5d  %s\n' "$page" "$(wc -w <"$text")" "$(grep -m 1 . "$text" || echo '(nothing)')"
done
