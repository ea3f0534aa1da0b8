"""Figures with their goals, and the machine that they were taken on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.programs import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `at_most` is the goal, if there is one; `note` says how it was taken."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    note: str = ""

    @property
    def row(self) -> str:
        goal = "" if self.at_most is None else f"at most {_number(self.at_most)}{_unit(self.unit)}"
        met = "" if self.at_most is None else ("yes" if self.value <= self.at_most else "no")
        return f"| {self.name} | {_number(self.value)}{_unit(self.unit)} | {goal} | {met} | {self.note} |"


HEADER = "| figure | value | goal | met | how |\n|---|---|---|---|---|"


def machine() -> str:
    """Date, processor, cores, memory, and how busy it was: a shared machine makes everything slower."""
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_processor()}, {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GB; {platform.system()}, Python {platform.python_version()}; "
        f"load average {load:.1f} at the start"
    )


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table of the figures."""
    return "\n".join([HEADER, *(figure.row for figure in figures)])


def with_page(text: str, about: str, figures: Sequence[Figure]) -> str:
    """docs/benchmarks.md with these figures; its sections, written by other measurements, stay."""
    sections = text[text.find("\n## ") :] if "\n## " in text else "\n"
    return f"""# Measurements

Taken by `make bench` (`python -m tests.benchmarks --write`) with the shipped `tiny` model, through the real HTTP API of
a stack that the script starts. Ratios compare two measurements of the same run.

{about}

{table(figures)}
{sections}"""


def with_section(text: str, title: str, body: str) -> str:
    """docs/benchmarks.md with this section in the place of the one of the same title, or at the end."""
    head, found, rest = text.partition(f"\n## {title}\n")
    after = rest.find("\n## ") if found else -1
    return f"{head.rstrip()}\n\n## {title}\n\n{body.strip()}\n{rest[after:] if after >= 0 else ''}"


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
