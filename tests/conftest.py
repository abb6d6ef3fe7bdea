"""What all tests share: those marked `gpu` are skipped, saying why, where no CUDA device works."""

from __future__ import annotations

import pytest

from twin.arrays import DeviceUnavailable, open_device


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [item for item in items if item.get_closest_marker("gpu")]
    if not wanting:
        return
    try:
        open_device("gpu")
    except DeviceUnavailable as error:
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason=str(error)))
