"""The data pipeline of the CellSAM paper's Appendix A: from published data sets to a folder that training reads.

The folder holds `tiles/<source>/*.npy` (pixels and labels), `manifest.csv`, `coco/<split>.json`, `report.json`, and in
`journal/` what is done so far. Tiles are written as sources are read; splits are known only when all sources are, so
manifest, annotations and report are written at the end, from the journals.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from worker.cellsam.data.coco import coco_document
from worker.cellsam.data.field_preparation import FieldWriter, MaskCoder, described
from worker.cellsam.data.importers import IMPORTERS
from worker.cellsam.data.journal import Journal, PreparedField, PreparedTile
from worker.cellsam.data.labelled import SPLITS, DataError, Split
from worker.cellsam.data.manifest import EQUALISED
from worker.cellsam.data.preparation_report import PreparationReport, summarise
from worker.cellsam.data.splits import Placed, assign_splits
from worker.cellsam.data.tiles import SIDE_PX
from worker.cellsam.data.whole_files import write_text

PIPELINE = "clahe-128 tiles-512-384"  # what a folder was prepared with: changes with the numbers
COLUMNS = (
    "dataset", "modality", "split", "image", "labels", "height", "width", "channels", "n_cells", "licence", "group",
    "field", "equalised",
)  # fmt: skip

Progress = Callable[[str, int, int], None]  # source, fields done, tiles written


@dataclass(frozen=True, slots=True)
class Source:
    """A data set to prepare: one of IMPORTERS' layouts in a folder. The name is the data set's, where it has none."""

    name: str
    layout: str
    folder: Path

    def __post_init__(self) -> None:
        if self.layout not in IMPORTERS:
            raise DataError(self.layout, f"no such layout; there are {', '.join(IMPORTERS)}")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise DataError(self.name, "a source's name is made of letters, digits, _ and -")


@dataclass(frozen=True, slots=True)
class PreparationOptions:
    keep_colour: bool = False  # stained images stay RGB instead of becoming gray
    skip_unreadable: bool = False  # go on past a damaged file, and report it


def prepare(
    sources: Sequence[Source],
    out: Path,
    *,
    encode: MaskCoder,
    options: PreparationOptions = PreparationOptions(),
    progress: Progress = lambda *_: None,
) -> PreparationReport:
    """Prepare `sources` into `out`, or go on where an earlier run stopped; sources may be added later.

    A source that was read to its end is not read again. `encode` makes COCO's compressed run lengths.
    Raises DataError for unusable data, and if `out` was begun with other options or another folder under a name.
    """
    (out / "journal").mkdir(parents=True, exist_ok=True)
    (out / "coco").mkdir(exist_ok=True)
    names = _agree_on_options(sources, out, options)
    for source in sources:
        _prepare_source(source, out, encode, options, progress)
    journals = [_journal(out, name) for name in names]
    for journal in journals:
        if not journal.is_complete:
            raise DataError(out, f"source {journal.path.stem} was begun and not finished: name it again")
    return _finish(out, journals, options)


def _agree_on_options(sources: Sequence[Source], out: Path, options: PreparationOptions) -> list[str]:
    """The names of all sources of the folder, after noting the new ones."""
    path = out / "options.json"
    wanted: dict[str, Any] = {"pipeline": PIPELINE, "keep_colour": options.keep_colour}
    known: dict[str, Any] = {**wanted, "sources": {}}
    if path.exists():
        try:
            known = json.loads(path.read_text())
            differing = [key for key in wanted if known[key] != wanted[key]]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(path, "the file is damaged; prepare into another folder") from error
        if differing:
            key = differing[0]
            reason = f"it was begun with {key} = {known[key]}, now {wanted[key]}; prepare into another folder"
            raise DataError(out, reason)
    for source in sources:
        about = {"layout": source.layout, "folder": str(source.folder.resolve())}
        earlier = known["sources"].setdefault(source.name, about)
        if earlier != about:
            where = f"{earlier['layout']} in {earlier['folder']}"
            raise DataError(out, f"source {source.name} was begun as {where}; use another name or folder")
    if len({source.name for source in sources}) < len(sources):
        raise DataError(out, "two sources have the same name; give one another with LAYOUT:NAME=DIR")
    write_text(path, [json.dumps(known, indent=2)])
    return list(known["sources"])


def _prepare_source(
    source: Source, out: Path, encode: MaskCoder, options: PreparationOptions, progress: Progress
) -> None:
    journal = _journal(out, source.name)
    done = journal.recover()
    if journal.is_complete:
        return
    (out / "tiles" / source.name).mkdir(parents=True, exist_ok=True)
    writer = FieldWriter(out, source.name, encode, keep_colour=options.keep_colour)
    seen: set[str] = set()
    tiles = 0
    for field in IMPORTERS[source.layout](source.folder, source.name):
        if field.name in seen:
            raise DataError(source.folder, f"two fields are named {field.name}")
        seen.add(field.name)
        if field.name not in done:
            try:
                entry = writer.prepare(field)
            except DataError as error:
                if not options.skip_unreadable:
                    raise
                entry = described(field, unreadable=str(error))
            journal.append(entry)
            tiles += len(entry.tiles)
        progress(source.name, len(seen), tiles)
    journal.complete()


def _finish(out: Path, journals: Sequence[Journal], options: PreparationOptions) -> PreparationReport:
    """Assign splits and write what depends on them."""

    def fields() -> Iterator[PreparedField]:
        return (entry for journal in journals for entry in journal.fields())

    assignment = assign_splits([_placed(entry) for entry in fields()])

    def tiles_of(split: Split) -> Iterator[PreparedTile]:
        assigned = zip(fields(), assignment.splits, strict=True)
        return (tile for entry, place in assigned if place == split for tile in entry.tiles)

    for split in SPLITS:
        write_text(out / "coco" / f"{split}.json", coco_document(partial(tiles_of, split)))
    report = summarise(fields(), assignment)
    about = {"pipeline": PIPELINE, "keep_colour": options.keep_colour, **report.as_json()}
    write_text(out / "report.json", [json.dumps(about, indent=2)])
    write_text(out / "manifest.csv", _manifest(zip(fields(), assignment.splits, strict=True)))
    return report


def _placed(entry: PreparedField) -> Placed:
    hashes = tuple(tile.pixels for tile in entry.tiles if tile.pixels)
    return Placed(entry.dataset, entry.group, entry.split, entry.split_is_final, hashes)


def _manifest(entries: Iterator[tuple[PreparedField, Split]]) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for entry, split in entries:
        for tile in entry.tiles:
            yield _csv_line(
                (
                    entry.dataset,
                    entry.modality,
                    split,
                    tile.image,
                    tile.labels,
                    SIDE_PX,
                    SIDE_PX,
                    tile.channels,
                    len(tile.cells),
                    entry.licence,
                    entry.group,
                    entry.name,
                    EQUALISED,
                )
            )


def _csv_line(values: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _journal(out: Path, source: str) -> Journal:
    return Journal(out / "journal" / f"{source}.jsonl")
