"""`onnx2graphml`, or `python -m onnx2graphml`, is the command line."""

from __future__ import annotations

import signal
import sys

from onnx2graphml import program


def start() -> int:
    """Run it; returns the exit status.

    Until it can say that it was interrupted, Ctrl-C just ends the process: it has written nothing.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    program.alone = True
    try:
        from onnx2graphml.cli import main
    except (ImportError, MemoryError, OSError) as e:
        sys.stderr.write(f"onnx2graphml: error: it can't start: {' '.join(str(e).split()) or 'out of memory'}\n")
        return 2
    return main()


if __name__ == "__main__":
    sys.exit(start())
