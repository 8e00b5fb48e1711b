"""What another library raises about a file, as this package's errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from onnx2graphml.errors import Error, ModelError, reason


@contextlib.contextmanager
def about(what: str, kind: type[Error] = ModelError) -> Iterator[None]:
    """Everything that the block raises as one error that says what it is about; the package's own are left.

    Raises:
        kind: with the first line of what was raised, which it has as its cause.

    Example:
        >>> with about("its shapes don't fit"):
        ...     pass
    """
    try:
        yield
    except (Error, MemoryError):
        raise
    except Exception as e:
        said = reason(e) if not isinstance(e, KeyError) else f"{e} is missing"
        raise kind(f"{what}: {said or type(e).__name__}") from e
