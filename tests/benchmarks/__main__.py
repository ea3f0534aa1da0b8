"""`python -m tests.benchmarks`: starts a stack, measures it over HTTP, prints figures with the machine and the date.

--only NAME    model, redecode, large-image, boxes, uploads, edits, processes or canvas, more than once if wanted
--quick        few repetitions, to see that everything works; its figures are not worth quoting
--large        images of 20,000 x 20,000, too: opened by the canvas, segmented from a file (half an hour or more)
--fresh-clone  also the minutes from a fresh clone to READY
--write        also write docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from backend.supervisor import Stack
from tests.benchmarks import boxes, canvas, edits, large_image, model, processes, redecode, uploads
from tests.benchmarks.report import HEADER, PAGE, Figure, machine, say, with_page, with_section
from tests.benchmarks.setting import FULL, QUICK, Size, clean_environ
from tests.integration.http_client import Person

MEASURES = {"boxes": boxes.measure, "uploads": uploads.measure, "edits": edits.measure}
ALL = ["model", "redecode", "large-image", *MEASURES, "processes", "canvas"]
ALONE = {"model", "redecode", "large-image", "canvas"}  # these need no stack


def main() -> None:
    """Measure, printing each figure as it comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", action="append", choices=ALL)
    for option in ("--quick", "--large", "--fresh-clone", "--write"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    chosen, quick = options.only or ALL, options.quick
    about = machine()
    say(about, "", HEADER)
    if set(chosen) != {"canvas"} or options.fresh_clone:
        figures = told(
            measured(chosen, QUICK if quick else FULL, fresh_clone=options.fresh_clone, large=options.large)
        )
        if options.write:
            write(with_page(written(), about, figures))
    if "canvas" in chosen:
        seen = told(canvas.measured(canvas.QUICK if quick else canvas.FULL, large=options.large))
        if options.write:
            write(with_section(written(), "Canvas", canvas.section(about, seen)))


def told(figures: Iterable[Figure]) -> list[Figure]:
    """All of them, each printed as soon as it is there."""
    found = []
    for figure in figures:
        say(figure.row)
        found.append(figure)
    return found


def written() -> str:
    return PAGE.read_text(encoding="utf-8")


def write(text: str) -> None:
    PAGE.write_text(text, encoding="utf-8")


def measured(chosen: list[str], size: Size, *, fresh_clone: bool, large: bool) -> Iterator[Figure]:
    """All figures asked for, from a stack in a folder of its own that is gone afterwards."""
    environ = clean_environ()
    if "model" in chosen:
        yield from model.measure(size)
    if "redecode" in chosen:
        yield from redecode.measure(size)
    if "large-image" in chosen:
        yield from large_image.figures(quick=size is QUICK, large=large)
    if ALONE.issuperset(chosen) and not fresh_clone:
        return
    with tempfile.TemporaryDirectory(prefix="cellloop-bench-") as folder:
        data = Path(folder) / "data"
        with Stack(data_dir=data, port=0, environ=environ) as stack:
            person = Person(stack.url, "admin", stack.admin_password)
            for name in chosen:
                if name in MEASURES:
                    yield from MEASURES[name](person, size)
            if "processes" in chosen:
                yield from processes.memory(stack)
        if "processes" in chosen:
            yield from processes.second_start(data, environ)
    if fresh_clone:
        yield from processes.fresh_clone(environ)


if __name__ == "__main__":
    main()
