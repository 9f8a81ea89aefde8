"""The export as it would lie on a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.jea.files import export
from console.jea.writing import write


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("endpoints")
    write(folder, export())
    return folder
