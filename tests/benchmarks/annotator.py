"""`python -m tests.benchmarks.annotator`: what labelling costs with and without the loop, by the simulated annotator.

    python -m tests.benchmarks.annotator --data FOLDER --dataset dsb2018 --modality fluorescence --domain A
    python -m tests.benchmarks.annotator --data FOLDER --modality HE --domain B --weights base-without-it.safetensors

Starts a stack of its own with the given base, and keeps it with all results in --out: the same command goes on after
a cut. --images, --round and --seeds make it small; --write puts the summary into docs/annotator.md.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

from backend.programs import ROOT
from backend.supervisor import Stack
from labeling.annotator import Client, add_arguments, play
from tests.benchmarks.report import machine, say, with_section
from tests.benchmarks.setting import clean_environ
from tests.integration.http_client import Person

PAGE = ROOT / "docs" / "annotator.md"
SHIPPED = ROOT / "worker" / "weights" / "tiny.safetensors"


def main() -> None:
    """Play what is left to play and print the summary."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.annotator", description=__doc__.split("\n", 1)[0]
    )
    add_arguments(parser)
    parser.set_defaults(out=ROOT / ".cache" / "annotator")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="the base; the shipped one by default")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    base = hashlib.sha256(options.weights.read_bytes()).hexdigest()[:12]
    options.out = options.out / f"{options.domain}-{base}"  # another base is another measurement
    about = f"{machine()}; base {options.weights.name} ({base})"
    environ = clean_environ() | {"CELLLOOP_WEIGHTS": str(options.weights.resolve())}
    with Stack(data_dir=options.out / "stack", port=0, environ=environ) as stack:
        person = Person(stack.url, "admin", stack.admin_password)
        token = person.post("tokens", {"name": "simulated annotator"})["token"]
        text = play(options, Client(stack.url, token), say)
    say("", about, "", text)
    if options.write:
        _write(options, f"{about}\n\n{text}")


def _write(options: argparse.Namespace, text: str) -> None:
    picture = f"images/annotator-{options.domain}.png"
    if (options.out / "curves.png").exists():
        shutil.copy(options.out / "curves.png", PAGE.parent / picture)
        text += f"\n![actions per cell against cells corrected]({picture})\n"
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_section(page, f"Domain {options.domain}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
