"""What holds for all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

# Shells start what runs in the background with Ctrl-C ignored, which processes that the tests interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Read when numba is first imported: kernels for GPUs run in its simulator.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")


@pytest.fixture(autouse=True, scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run in a folder of their own: none depends on where pytest was started."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)
