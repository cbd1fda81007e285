#!/bin/sh
# average.sh DAY CSV: writes the mean of a day to DAY.txt. Exit code 3: there is no reading of that day.
set -eu
if [ ! -s "$2" ]; then
    echo "no reading of day $1" >&2
    exit 3
fi
awk -F, -v day="$1" '{ sum += $3 } END { printf "day %d: %.1f degrees, %d stations\n", day, sum / NR, NR }' "$2" \
    | tee "$1.txt"
