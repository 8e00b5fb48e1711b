"""File formats: a folder for each, with `write.py` and `read.py`; `registry.py` lists them."""
