#!/bin/sh
# split.sh CSV DAYS: writes days/1.csv to days/DAYS.csv; one may be empty.
set -eu
mkdir days
for day in $(seq "$2"); do
    awk -F, -v day="$day" 'NR > 1 && $1 == day' "$1" >"days/$day.csv"
done
wc -l days/*.csv
