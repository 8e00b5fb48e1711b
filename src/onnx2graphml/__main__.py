"""`python -m onnx2graphml` is the command line."""

import sys

from onnx2graphml.cli import main

sys.exit(main())
