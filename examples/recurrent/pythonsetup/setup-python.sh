#!/bin/sh
# The start task's package. A real one would install a Python with its libraries; every node here already has one.
set -eu
echo "Setting up Python for $AZ_BATCH_POOL_ID on node $AZ_BATCH_NODE_ID"
python3 --version
echo "Done"
