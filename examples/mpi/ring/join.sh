#!/bin/sh
# Starts this node's member of the ring, and waits until it listens.
set -eu
rm -f ready
setsid python3 "$(dirname "$0")/ring.py" member ready > member.log 2>&1 &
member=$!
until [ -e ready ]; do
    kill -0 $member 2> /dev/null || { cat member.log >&2; exit 1; }
    sleep 0.05
done
echo "member $EBBTIDE_INSTANCE is there"
