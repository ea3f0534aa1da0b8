"""`python -m tests.benchmarks`: starts a stack, measures it over HTTP, prints figures with the machine and the date.

--only NAME    model, boxes, uploads, edits or processes, more than once if wanted
--quick        few repetitions, to see that everything works; its figures are not worth quoting
--fresh-clone  also the minutes from a fresh clone to READY
--write        also write docs/benchmarks.md

The canvas, which needs a browser, is measured by `python -m tests.benchmarks.canvas`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backend.supervisor import Stack
from tests.benchmarks import boxes, edits, model, processes, uploads
from tests.benchmarks.report import HEADER, PAGE, Figure, machine, say, with_page
from tests.benchmarks.setting import FULL, QUICK, Size, clean_environ
from tests.integration.http_client import Person

MEASURES = {"boxes": boxes.measure, "uploads": uploads.measure, "edits": edits.measure}


def main() -> None:
    """Measure, printing each figure as it comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", action="append", choices=[*MEASURES, "model", "processes"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fresh-clone", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    chosen = options.only or ["model", *MEASURES, "processes"]
    about = machine()
    say(about, "", HEADER)
    figures = []
    for figure in measured(chosen, QUICK if options.quick else FULL, fresh_clone=options.fresh_clone):
        say(figure.row)
        figures.append(figure)
    if options.write:
        PAGE.write_text(with_page(PAGE.read_text(encoding="utf-8"), about, figures), encoding="utf-8")


def measured(chosen: list[str], size: Size, *, fresh_clone: bool) -> Iterator[Figure]:
    """All figures asked for, from a stack in a folder of its own that is gone afterwards."""
    environ = clean_environ()
    if "model" in chosen:
        yield from model.measure(size)
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
