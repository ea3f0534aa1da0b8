"""Which images a command line means, and where the results of each go."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy"})  # taken from folders and by patterns


@dataclass(frozen=True, slots=True)
class ImageFile:
    """`results`: the path of each of its results, less the ending that says what it is."""

    path: Path
    results: Path

    def result(self, ending: str) -> Path:
        return self.results.with_name(self.results.name + ending)


@dataclass(frozen=True, slots=True)
class FoundImages:
    """In the order in which they were named, each once. `problems`: a line for each name that gave none."""

    images: tuple[ImageFile, ...]
    problems: tuple[str, ...]


def find_images(names: Sequence[str], out: Path | None, *, results: Sequence[str]) -> FoundImages:
    """The images that files, patterns like `plate/*.tif`, and folders with their subfolders name.

    Results go to `out`, those of a folder's images in the same subfolders, or beside each image. Where two would have
    the same name, both keep the image's own ending in theirs. `results` are the endings of result files: folders and
    patterns leave those out, so that a command can be repeated.
    """
    placed: dict[Path, Path] = {}  # image -> folder for its results
    problems = []
    for name in names:
        found = {
            path: folder for path, folder in _named(Path(name), out) if not _is_result(path, name, results)
        }
        if not found:
            problems.append(f"{name}: no image is there ({', '.join(sorted(SUFFIXES))})")
        for path, folder in found.items():
            placed.setdefault(path, folder)
    stems = Counter(folder / path.stem for path, folder in placed.items())
    images: dict[Path, ImageFile] = {}
    for path, folder in placed.items():
        place = folder / (path.stem if stems[folder / path.stem] == 1 else path.name)
        if place in images:
            problems.append(
                f"{path}: its results would replace those of {images[place].path}; name their folder instead"
            )
        else:
            images[place] = ImageFile(path, place)
    return FoundImages(tuple(images.values()), tuple(problems))


def _named(name: Path, out: Path | None) -> Iterator[tuple[Path, Path]]:
    """Each image of one argument, and the folder for its results. A name that is nothing else is taken for a file."""
    if name.is_dir():
        for path in _images(name.rglob("*")):
            yield path, path.parent if out is None else out / path.parent.relative_to(name)
    elif glob.has_magic(str(name)) and not name.exists():
        # A Path's own glob takes no absolute pattern.
        for path in _images(map(Path, glob.glob(str(name), recursive=True))):  # noqa: PTH207
            yield path, out or path.parent
    else:
        yield name, out or name.parent


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _is_result(path: Path, name: str, results: Sequence[str]) -> bool:
    return path != Path(name) and path.name.endswith(tuple(results))
