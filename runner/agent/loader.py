# ruff: noqa: UP031, UP036 - it runs on whatever Python 3 the node has, to tell that it is too old
# Runs on the node: python3 reads this from its stdin, and behind it the calls of this `main` and then of the agent's,
# in the same process: to start Python again would cost as much as all the rest. Says on stdout `EBBTIDE have`,
# `EBBTIDE need` (then it reads it from stdin, `packed` bytes) or `EBBTIDE refuse <JSON text>`.
import gc
import json
import marshal
import os
import sys
import zlib

gc.disable()  # until the agent has been loaded: there is nothing to collect


def say(text: str) -> None:
    os.write(1, ("EBBTIDE " + text + "\n").encode("ascii"))


def refuse(text: str) -> None:
    say("refuse " + json.dumps(text))
    sys.exit(3)


class Modules:
    """Imports from the bundle in memory: `zipimport` would take as long as compiling what it finds.

    Where the node's Python is as that of the controller, which has compiled them, that need not be done again.
    """

    def __init__(self, data: bytes, path: str, places: dict, magic: bytes) -> None:  # type: ignore[type-arg]
        self.data = data
        self.path = path
        self.places = places
        self.same = magic == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name not in self.places:
            return None
        return type(sys.__spec__)(name, self, origin=self.path, is_package="." not in name)  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        return None

    def get_source(self, name: str) -> str:
        start, end = self.places[name][:2]
        return self.data[start:end].decode("utf-8")

    def exec_module(self, module) -> None:  # type: ignore[no-untyped-def]
        name = module.__name__
        start, end = self.places[name][2:]
        if self.same:
            code = marshal.loads(self.data[start + 16 : end])  # behind the head of a .pyc
        else:
            code = compile(self.get_source(name), "<%s>" % name, "exec", dont_inherit=True)
        exec(code, module.__dict__)


def main(root: str, name: str, packed: int, checksum: int, places: dict, magic: bytes) -> None:  # type: ignore[type-arg]
    if sys.version_info < (3, 8):
        version = ".".join(str(part) for part in sys.version_info[:3])
        refuse("python3 on the node is %s: install Python 3.8 or later in its image" % version)
    import pwd

    try:
        entry = pwd.getpwuid(os.getuid())
        user, home = entry.pw_name, entry.pw_dir
    except KeyError:
        user, home = str(os.getuid()), root
    private = root + "/.ebbtide"
    path = private + "/" + name
    try:
        for folder in ("", "/shared", "/startup", "/applications", "/workitems"):
            os.makedirs(root + folder, 0o755, exist_ok=True)
        os.makedirs(private, 0o700, exist_ok=True)
        os.makedirs(private + "/packages", 0o700, exist_ok=True)
        data = b""
        if os.path.exists(path):
            with open(path, "rb") as file:
                data = file.read()
        if zlib.crc32(data) == checksum:
            say("have")
        else:
            say("need")
            data = sys.stdin.buffer.read(packed)  # nothing may follow it before the agent has said hello
            if len(data) < packed:
                sys.exit(3)
            try:
                data = zlib.decompress(data)
            except zlib.error:
                data = b""
            if zlib.crc32(data) != checksum:
                refuse("the agent arrived damaged (checksum)")
            part = "%s.%d" % (path, os.getpid())
            with open(part, "wb") as file:
                file.write(data)
            os.rename(part, path)
    except OSError as error:
        cure = "Make it writable for the SSH user %s (as root: install -d -o %s %s), or set another nodeRoot"
        refuse("the node root %s cannot be used: %s. " % (root, error) + cure % (user, user, root))
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
    }
    env.update((key, value) for key, value in os.environ.items() if key.startswith("EBBTIDE_"))
    os.environ.clear()
    os.environ.update(env)
    sys.argv[:] = [path, "serve", root]
    sys.meta_path.insert(0, Modules(data, path, places, magic))  # type: ignore[arg-type]
