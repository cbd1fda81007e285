from collections.abc import Iterator

import pytest

from .place import Place, place


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("apply")) as found:
        yield found


@pytest.fixture
def here(controller: Place) -> Place:
    """With ids that nothing has yet."""
    controller.fresh()
    return controller
