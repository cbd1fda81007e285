"""A ring of the nodes of a multi-instance task: every member passes on to the next what the one before has sent.

`ring.py member FILE` listens, then makes FILE, and serves until it is ended with the task.
`ring.py start ROUNDS` sends a token round the ring and prints what the members have written on it.
"""

import json
import os
import socket
import sys
import time

PORT = 6001
HOSTS = os.environ["AZ_BATCH_HOST_LIST"].split(",")
NUMBER = int(os.environ["EBBTIDE_INSTANCE"])


def send(number, token):
    """To a member of the ring."""
    with socket.create_connection((HOSTS[number], PORT), 10.0) as link:
        link.sendall(json.dumps(token).encode())


def receive(listener):
    link, _ = listener.accept()
    with link, link.makefile("rb") as file:
        return json.loads(file.read())


def listen(address, port):
    return socket.create_server((address, port), backlog=16)


def member(ready):
    with listen(HOSTS[NUMBER], PORT) as listener:
        open(ready, "w").close()
        while True:
            token = receive(listener)
            token["path"].append(os.environ["AZ_BATCH_NODE_ID"])
            if len(HOSTS) > NUMBER + 1:
                send(NUMBER + 1, token)
                continue
            with socket.create_connection((token["home"][0], token["home"][1]), 10.0) as link:
                link.sendall(json.dumps(token).encode())


def start(rounds):
    home, port = os.environ["AZ_BATCH_MASTER_NODE"].rsplit(":", 1)
    began = time.monotonic()
    with listen(home, int(port)) as listener:
        listener.settimeout(30.0)
        for _ in range(rounds):
            send(0, {"path": [], "home": [home, int(port)]})
            token = receive(listener)
            assert len(set(token["path"])) == len(HOSTS), token
    print("\n".join(f"{number}: {node}" for number, node in enumerate(token["path"])))
    print(f"{rounds} times round {len(HOSTS)} nodes, {(time.monotonic() - began) / rounds * 1000:.1f} ms each")


if sys.argv[1] == "member":
    member(sys.argv[2])
else:
    start(int(sys.argv[2]))
