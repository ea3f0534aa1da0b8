"""One line of progress for a person who watches: on standard error, and only where that is a terminal."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType

BAR = 24  # characters


class ProgressLine:
    """Drawn anew in place, gone at the end. Use it as a context, and `clear` before other words are printed."""

    def __init__(self) -> None:
        self._drawn = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, share: float, words: str) -> None:
        """`share` done, in [0, 1], and what is being done."""
        full = round(min(max(share, 0.0), 1.0) * BAR)
        width = shutil.get_terminal_size().columns - 1  # the last column would break the line
        line = f"{'#' * full}{'.' * (BAR - full)} {share:4.0%}  {words}"[:width]
        if line != self._drawn:
            self._put(line)

    def clear(self) -> None:
        if self._drawn:
            self._put("")

    def _put(self, line: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{line.ljust(len(self._drawn))}\r{line}", end="", file=sys.stderr, flush=True)
        self._drawn = line
