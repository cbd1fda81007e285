"""Parameters of workload files: what stands in their place, and what is refused, with the place."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.parameters import with_parameters
from service.positions import Scalar, parse_document
from service.problems import InputError, Problems
from service.workload_file import read_workload

HEAD = """parameters:
  nodes: {default: 3, description: how many}
  name: {default: main}
  tags: {default: [{name: a, value: b}]}
  empty: {default: ""}
  flag: {default: true}
  quoted: {default: "007"}
"""
POOL = """pools:
- id: p
  vmSize: s
"""


def read(folder: Path, text: str, **given: str) -> dict[str, Any]:
    (folder / "w.yaml").write_text(text)
    found = msgspec.json.decode(msgspec.json.encode(read_workload(folder / "w.yaml", given)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("text", "given", "path", "found"),
    [
        ("  targetDedicatedNodes: ${param:nodes}", {}, "targetDedicatedNodes", 3),
        ("  targetDedicatedNodes: ${param:nodes}", {"nodes": "5"}, "targetDedicatedNodes", 5),
        ("  targetDedicatedNodes: 1${param:nodes}", {"nodes": "5"}, "targetDedicatedNodes", 15),
        ("  enableInterNodeCommunication: ${param:flag}", {}, "enableInterNodeCommunication", True),
        ("  displayName: ${param:nodes}", {}, "displayName", "3"),
        ("  displayName: a ${param:name} with ${param:nodes}", {"name": "pool"}, "displayName", "a pool with 3"),
        ("  displayName: ${param:name}", {"name": "null"}, "displayName", "null"),
        ("  displayName: ${param:name}", {"name": ""}, "displayName", ""),
        ("  displayName: ${param:name}", {"name": "a=b"}, "displayName", "a=b"),
        ("  displayName: x${param:empty}y", {}, "displayName", "xy"),
        ("  displayName: ${param:name}", {"name": "${param:nodes}"}, "displayName", "${param:nodes}"),
        ("  displayName: $${param:name}", {}, "displayName", "${param:name}"),
        ("  displayName: ${param:-name} ${param:0:3}", {}, "displayName", "${param:-name} ${param:0:3}"),
        ("  metadata: ${param:tags}", {}, "metadata", [{"name": "a", "value": "b"}]),
        ('  metadata: [{name: x, value: "${param:name}"}]', {}, "metadata", [{"name": "x", "value": "main"}]),
        ("  displayName: |\n    one\n    ${param:name}", {}, "displayName", "one\nmain\n"),
        ("  resourceTags: {a: '${secret:env:${param:name}}'}", {}, "resourceTags", {"a": "${secret:env:main}"}),
        (
            "  virtualMachineConfiguration: {imageReference: {sku: '${param:quoted}'}}",
            {},
            "virtualMachineConfiguration",
            {"imageReference": {"sku": "007"}},
        ),
    ],
)
def test_what_stands_there(tmp_path: Path, text: str, given: dict[str, str], path: str, found: Any) -> None:
    assert read(tmp_path, f"{HEAD}{POOL}{text}\n", **given)["pools"][0][path] == found


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        (
            f"{POOL}  displayName: ${{param:name}}",
            {},
            "w.yaml:4:16: pools[0].displayName: there is no parameter 'name'",
        ),
        (
            f"{HEAD}{POOL}  displayName: ${{param:nome}}",
            {},
            "11:16: pools[0].displayName: there is no parameter 'nome' in "
            "`parameters` of this file; did you mean name?",
        ),
        (
            f"{HEAD}{POOL}  displayName: ${{param:}}",
            {},
            "${param:} names no parameter; `$${param:...}` stands for itself",
        ),
        (f"{HEAD}{POOL}  displayName: ${{param:a.b}}", {}, "${param:a.b} names no parameter"),
        (f"{HEAD}{POOL}  displayName: a ${{param:tags}}", {}, "is a list and can only be the whole value"),
        (
            f"{HEAD}{POOL}  targetDedicatedNodes: ${{param:name}}",
            {},
            "11:25: pools[0].targetDedicatedNodes: must be a whole number, not 'main'",
        ),
        (f"{HEAD}{POOL}", {"nodez": "1"}, "--param nodez: the file has no parameter of that name; did you mean nodes?"),
        (POOL, {"x": "1"}, "--param x: the file has no parameter of that name; there are none"),
        (f"parameters: {{must: }}\n{POOL}", {}, "1:14: parameters.must: has no value: say --param must=VALUE"),
        (f"parameters: {{must: {{description: x}}}}\n{POOL}", {}, "has no value: say --param must=VALUE"),
        (
            f"parameters: {{one: 1}}\n{POOL}",
            {},
            "parameters.one: must be a group (default, description), not '1'; write",
        ),
        (f"parameters: {{one: {{value: 1}}}}\n{POOL}", {}, "unknown property; known here: default, description"),
        (f"parameters: {{1x: {{default: 1}}}}\n{POOL}", {}, "'1x' is no name of a parameter"),
        (f"parameters: [a]\n{POOL}", {}, "1:13: parameters: must be a group: for each name a group of `default`"),
        (f"{HEAD}pools:\n- {{id: ${{param:name}}}}", {}, "within { } and [ ] a text with `${...}` needs quotes"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, given: dict[str, str], told: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, text, **given)
    assert told in str(refused.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = f"parameters: {{a: , b: 1}}\n{POOL}  displayName: ${{param:c}}\n"
    with pytest.raises(InputError) as refused:
        read(tmp_path, text, d="1")
    assert [problem.path for problem in refused.value.problems] == [
        "",
        "parameters.a",
        "parameters.b",
        "pools[0].displayName",
    ]


def test_a_pool_that_stands_by_itself(tmp_path: Path) -> None:
    text = "parameters: {size: {default: small}}\nid: p\nvmSize: ${param:size}\n"
    assert read(tmp_path, text, size="large")["pools"] == [{"id": "p", "vmSize": "large"}]


@given(st.text(), st.text())
def test_values_are_put_in_as_they_are(before: str, value: str) -> None:
    """What they hold means nothing, and neither do texts that hold no reference."""
    if "$" in before:
        return
    text = json.dumps({"parameters": {"x": {"default": "d"}}, "a": before + "${param:x}", "b": before})
    try:
        root = parse_document(text, "f").root
    except InputError:  # what YAML does not take
        return
    problems = Problems()
    found = with_parameters(root, {"x": value}, problems)
    assert not list(problems)
    texts = [each.text for _, each in found.entries.values() if isinstance(each, Scalar)]  # type: ignore[union-attr]
    assert texts == [before + value, before]
