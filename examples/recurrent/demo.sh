#!/bin/sh
# demo.sh EBBTIDE STATE: two occurrences of the recurrent example from a fresh state, then proof that nothing is left.
set -eu
ebbtide=$1
state=$2
here=$(dirname "$0")

if [ -d "$state" ]; then  # an earlier demo may have been killed in the middle: its nodes first, then its records
    "$ebbtide" down --state "$state" --now
    rm -rf "$state"
fi

"$ebbtide" run "$here/workload.yaml" --config "$here/settings.yaml" --occurrences 2 --state "$state"

# Every process that a local node ever starts inherits the name of its VM, which carries the deployment's id.
left=$(grep -lsz "^EBBTIDE_NODE=ebbtide-$(cat "$state/deployment")-" /proc/[0-9]*/environ | cut -d/ -f3 | tr '\n' ' ')
if [ -n "$left" ]; then
    echo "Processes of nodes are left: $left" >&2
    exit 1
fi
echo "No process of a node is left. What the tasks printed is kept: ebbtide logs JOB TASK --state $state"
