"""A scratch mail host: everything that `apply` needs but the daemons, which stand-ins answer for."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.standin import Standin, scratch_layout, standin


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Standin]:
    """An empty mail host whose doors answer."""
    with standin(scratch_layout(tmp_path, pwd.getpwuid(os.geteuid()).pw_name)) as found:
        yield found
