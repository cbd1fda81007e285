# ruff: noqa: UP031, UP036 - it runs on whatever Python 3 the node has, to tell that it is too old
# Runs on the node as `python3 -I -c <this>`. Argument: base64 of JSON [root, sha256, size]. Says on stdout
# `EBBTIDE have`, `EBBTIDE need` (then it reads `size` bytes from stdin) or `EBBTIDE refuse <JSON text>`, and
# becomes the agent.
import base64
import json
import os
import sys


def say(text: str) -> None:
    os.write(1, ("EBBTIDE " + text + "\n").encode("ascii"))


def refuse(text: str) -> None:
    say("refuse " + json.dumps(text))
    sys.exit(3)


def main(root: str, sha: str, size: int) -> None:
    if sys.version_info < (3, 8):
        version = ".".join(str(part) for part in sys.version_info[:3])
        refuse("python3 on the node is %s: install Python 3.8 or later in its image" % version)
    import hashlib

    private = root + "/.ebbtide"
    path = private + "/agent-" + sha[:16] + ".pyz"
    try:
        for name in ("", "/shared", "/startup", "/applications", "/workitems"):
            os.makedirs(root + name, 0o755, exist_ok=True)
        os.makedirs(private, 0o700, exist_ok=True)
        os.makedirs(private + "/packages", 0o700, exist_ok=True)
        data = b""
        if os.path.exists(path):
            with open(path, "rb") as file:
                data = file.read()
        if hashlib.sha256(data).hexdigest() == sha:
            say("have")
        else:
            say("need")
            data = b""
            while len(data) < size:
                piece = os.read(0, size - len(data))
                if not piece:
                    sys.exit(3)
                data += piece
            if hashlib.sha256(data).hexdigest() != sha:
                refuse("the agent arrived damaged (checksum)")
            part = "%s.%d" % (path, os.getpid())
            with open(part, "wb") as file:
                file.write(data)
            os.rename(part, path)
    except OSError as error:
        refuse("the node root %s cannot be used: %s. Make it writable for the SSH user" % (root, error))
    import pwd

    try:
        user = pwd.getpwuid(os.getuid())
        name, home = user.pw_name, user.pw_dir
    except KeyError:
        name, home = str(os.getuid()), root
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": home,
        "USER": name,
        "LOGNAME": name,
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
    }
    env.update((key, value) for key, value in os.environ.items() if key.startswith("EBBTIDE_"))
    # -S: the agent needs nothing from site-packages, and importing site may cost more than all the rest.
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-X", "utf8", path, "serve", root], env)


main(*json.loads(base64.b64decode(sys.argv[1]).decode("ascii")))
