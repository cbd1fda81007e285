"""What holds for every test: fast ones first, so that a mistake shows early."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests run last, and otherwise in the order in which they stand."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
