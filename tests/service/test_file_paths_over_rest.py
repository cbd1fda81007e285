"""How files may be named over REST: by absolute paths below the node root too, and as on Windows."""

import asyncio
from urllib.parse import quote

import httpx
import pytest

from .test_files_over_rest import Node, client

TOP = "/root/of the/node"
CONTENT = {"wd/a b": b"1", "back\\slash": b"2", "root/of the/node/wd/a b": b"3", "ä": b"4"}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("wd/a b", b"1"),
        ("/wd/a b", b"1"),
        ("./wd//./a b", b"1"),
        ("wd/a b/", b"1"),
        ("wd\\a b", b"1"),
        (f"{TOP}/wd/a b", b"1"),
        (f"{TOP}/wd/a b".replace("/", "\\"), b"1"),
        (f"{TOP}/{TOP}/wd/a b", b"3"),
        (TOP[1:] + "/wd/a b", b"3"),
        ("back\\slash", b"2"),
        (f"{TOP}/ä", b"4"),
        (f"{TOP}x/wd/a b", None),
        ("wd/../wd/a b", None),
        ("wd\\..\\wd\\a b", None),
        ("..", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("safe", ["", "/"])
def test_how_a_file_may_be_written(path: str, content: bytes | None, safe: str) -> None:
    node = Node("n", CONTENT)
    node.top = TOP

    async def run() -> httpx.Response:
        async with client(node) as http:
            # clients resolve `..` themselves, if they see it
            quoted = quote(path, safe=safe).replace(".", "%2E")
            return await http.get(f"http://test/pools/p/nodes/n/files/{quoted}")

    answer = asyncio.run(run())
    assert (answer.status_code, answer.content) == (200, content) if content else answer.status_code == 404


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("wd/", ["wd/a b"]),
        ("/wd/", ["wd/a b"]),
        ("wd\\", ["wd/a b"]),
        (f"{TOP}/wd/a", ["wd/a b"]),
        (f"{TOP}\\".replace("/", "\\") + "wd", ["wd/a b"]),
        ("back\\", ["back\\slash"]),
        ("ro", ["root/of the/node/wd/a b"]),
        ("../", []),
    ],
)
def test_how_a_prefix_may_be_written(prefix: str, names: list[str]) -> None:
    node = Node("n", CONTENT)
    node.top = TOP

    async def run() -> list[str]:
        async with client(node) as http:
            query = {"$filter": f"startswith(name,'{prefix}')", "recursive": "true"}
            answer = await http.get("/pools/p/nodes/n/files", params=query)
            return [each["name"] for each in answer.json()["value"]]

    assert asyncio.run(run()) == names
