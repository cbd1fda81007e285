"""Output files that the task itself may not read keep no other one on the node, and are told."""

from .node import Node
from .test_after import Store, store  # noqa: F401 - a fixture
from .test_identity import SEPARATE, TASK

SCRIPT = "for name in a b c d/e f/g; do mkdir -p d f; echo $name > $name; done; chmod 0 b f"


def test_files_and_folders_that_cannot_be_read(open_node: Node, store: Store) -> None:  # noqa: F811
    node = open_node
    node.connect(slots=1, users=SEPARATE)

    def files(pattern: str) -> list[dict[str, object]]:
        return [{"pattern": pattern, "url": f"{store.url}/c", "path": "", "headers": [], "when": "taskcompletion"}]

    for number, (pattern, told, kept) in enumerate(
        (
            ("**/*", "'b' could not be read: Permission denied (and 1 more)", {"a", "c", "d/e"}),
            ("*/*", "'wd/f' could not be read: Permission denied", {"d/e"}),
            ("f/g", "'wd/f/g' could not be read: Permission denied", set()),
            ("b", "'b' could not be read: Permission denied", set()),
            ("[ac]", None, {"a", "c"}),
        )
    ):
        store.blobs.clear()
        node.sh(f"t{number}", SCRIPT, user=TASK, outputs=files(pattern))
        done = node.outcome(f"t{number}")
        assert done["exit"] == 0 and (done["error"] is None) == (told is None), done
        assert told is None or done["error"]["message"] == f"{pattern}: {told}"
        assert {name.removeprefix("/c/") for name in store.blobs} == kept
