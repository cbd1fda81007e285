"""`python -m tests.rig serve|demo|cleanup`: the rig by hand."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from . import IMAGE, SIZE, CloudRig, links, network


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="a fake EC2 until SIGTERM or SIGINT; prints its endpoint")
    serve.add_argument("--port", type=int, default=0, help="0: a free one")
    serve.add_argument("--region", default="us-east-1")
    serve.add_argument("--hosts", action="store_true", help="instances are real SSH hosts; needs root")
    serve.add_argument("--pending", type=float, default=0.0, help="seconds that an instance is pending")
    serve.add_argument("--boot-delay", type=float, default=0.0, help="seconds until a running one answers")
    demo = commands.add_parser("demo", help="how long N hosts take from their creation to the first word of SSH")
    demo.add_argument("-n", type=int, default=20)
    commands.add_parser("cleanup", help="remove what rigs have left that were killed together with their daemons")
    given = parser.parse_args(arguments)
    if given.command == "serve":
        return _serve(given)
    return _demo(given.n) if given.command == "demo" else _cleanup()


def _serve(given: argparse.Namespace) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    rig = CloudRig(
        region=given.region, hosts=given.hosts, pending=given.pending, boot_delay=given.boot_delay, port=given.port
    )
    with rig:
        print(rig.endpoint, flush=True)
        over.wait()
    return 0


def _demo(count: int) -> int:
    from .ssh import first_word, key_pair

    key, public = key_pair()
    with CloudRig() as rig:
        client = rig.boto3()
        client.import_key_pair(KeyName="demo", PublicKeyMaterial=public.encode())
        took: list[float] = []

        def one() -> None:
            began = time.monotonic()
            made = client.run_instances(ImageId=IMAGE, InstanceType=SIZE, KeyName="demo", MinCount=1, MaxCount=1)
            instance = made["Instances"][0]
            while rig.instance(instance["InstanceId"]).state != "running":
                time.sleep(0.01)
            first_word(instance["PrivateIpAddress"], key)
            took.append(time.monotonic() - began)

        threads = [threading.Thread(target=one) for _ in range(count)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"{count} hosts at once: all have spoken after {time.monotonic() - began:.2f} s")
        print(f"from its creation to the first word: median {statistics.median(took):.2f} s, at most {max(took):.2f} s")
        began = time.monotonic()
    print(f"all gone after {time.monotonic() - began:.2f} s")
    return 0


def _cleanup() -> int:
    if os.geteuid() != 0:
        print("cleanup needs root: interfaces belong to it")
        return 1
    for dead in network.abandoned():
        print(f"removing {dead.bridge}")
        links.remove(dead.bridge)
        dead.release()
    in_use = {line.split()[1].decode() for path in Path("/proc").glob("[0-9]*/mounts") for line in _lines(path)}
    for directory in Path(tempfile.gettempdir()).glob("ebbtide-rig-*"):
        marker = directory / "daemon"
        if marker.exists() and not os.path.exists(f"/proc/{marker.read_text()}") and str(directory) not in in_use:
            print(f"removing {directory}")
            shutil.rmtree(directory, ignore_errors=True)
    return 0


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError:
        return []  # that process has ended meanwhile


if __name__ == "__main__":
    raise SystemExit(main())
