#!/bin/sh
# Start task: there has to be a tesseract on the node. Where it cannot be had, the tasks say so.
set -eu

if command -v tesseract >/dev/null; then
    tesseract --version 2>&1 | head -n 1
    exit
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "tesseract is missing, and I may not install it"
    exit
fi
# Nodes of this machine share its packages: one at a time.
exec 9</etc/apt
flock 9
command -v tesseract >/dev/null && exit
export DEBIAN_FRONTEND=noninteractive
install="apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 tesseract-ocr tesseract-ocr-eng"
$install || { apt-get update -qq && $install; } || echo "tesseract is missing, and could not be installed"
