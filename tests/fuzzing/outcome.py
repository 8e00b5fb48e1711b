"""What came of one broken file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SECONDS, MEGABYTES = 20.0, 2000.0

FINE = ("fine", "refused", "mismatch", "unchanged", "found", "same graph")


@dataclass(frozen=True)
class Outcome:
    """Of the file of that number.

    Attributes:
        kind: one of `FINE`, or what must not be: `traceback`, `crash`, `slow`, `large`, `many lines`, `accepted`.
        said: on standard error, or of the exception.
        seconds: of a processor's time.
        megabytes: that the process grew by.
        content: of the file, where there is a fault.
    """

    number: int
    kind: str
    said: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    suffix: str = ""
    content: bytes = field(default=b"", repr=False)

    @property
    def is_fault(self) -> bool:
        return self.kind not in FINE

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {k: v for k, v in asdict(self).items() if k != "content"}
