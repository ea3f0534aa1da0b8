"""What a TIFF's metadata say about its planes: how many are channels, their names, and the size of a pixel.

OME-XML, ImageJ's description, tifffile's own JSON description and the resolution tags, read here rather than through
tifffile's series: a series may follow file names in OME-XML to other files on this machine, and allocates what the
metadata claim.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from tifffile import TiffPage

from labeling.pixels.info import PixelError
from labeling.pixels.limits import Source

_MAX_OME = 32 * 2**20  # characters
_UM_PER = {
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "\\u00b5m": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
}
_PRINT_RESOLUTIONS = {72, 96, 150, 200, 240, 300, 600}  # dots per inch that programs write without meaning it


@dataclass(frozen=True, slots=True)
class Declared:
    """What the metadata say; None and empty where they are silent."""

    channels: int | None = None
    stack: str = ""  # "12 z-slices" if the file is a stack
    names: tuple[str | None, ...] = ()
    pixel_size_um: float | None = None
    images: int = 1
    page_of_channel: tuple[int, ...] = ()
    elsewhere: bool = False  # some planes lie in other files


def declared(source: Source, page: TiffPage) -> Declared:
    """The metadata of a TIFF by its first page. Raises PixelError for OME-XML that is damaged or hostile."""
    description = page.description if isinstance(page.description, str) else ""
    if description.rstrip()[-4:] == "OME>":
        return _ome(source, description)
    if description.startswith("ImageJ="):
        return _imagej(page, description)
    if description.startswith('{"shape"'):
        return _shaped(page, description)
    return Declared(pixel_size_um=_size_by_tags(page, unit_um=None))


def _ome(source: Source, xml: str) -> Declared:
    # An entity declaration is of no use in OME-XML and is how XML bombs are built.
    if len(xml) > _MAX_OME or re.search(r"<!(DOCTYPE|ENTITY)", xml, re.IGNORECASE):
        raise _bad_ome(source)
    try:
        # As str, so that no encoding declared inside can smuggle one past the check.
        root = ElementTree.fromstring(xml.strip("\x00 \r\n\t"))  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise _bad_ome(source) from error
    images = [element for element in root if _tag(element) == "Image"]
    pixels = next((child for image in images for child in image if _tag(child) == "Pixels"), None)
    if pixels is None:
        raise _bad_ome(source)
    try:
        return _ome_pixels(pixels, images=len(images))
    except (KeyError, ValueError) as error:
        raise _bad_ome(source) from error


def _ome_pixels(pixels: ElementTree.Element, *, images: int) -> Declared:
    depth, times, channels = (int(pixels.get(f"Size{axis}", "1")) for axis in "ZTC")
    elements = [child for child in pixels if _tag(child) == "Channel"]
    names: list[str | None] = []
    for element in elements:
        samples = int(element.get("SamplesPerPixel", "1"))
        names += [element.get("Name")] if samples == 1 else [None] * min(samples, 4)
    size = pixels.get("PhysicalSizeX")
    per_unit = _UM_PER.get(pixels.get("PhysicalSizeXUnit", "µm").lower())
    blocks = [child for child in pixels if _tag(child) == "TiffData"]
    return Declared(
        channels=channels,
        stack=_stack({"z-slice": depth, "time point": times}),
        names=tuple(names),
        pixel_size_um=_positive(float(size) * per_unit) if size and per_unit else None,
        images=images,
        page_of_channel=_pages_of_channels(blocks, channels),
        elsewhere=len({uuid.text for block in blocks for uuid in block if _tag(uuid) == "UUID"}) > 1,
    )


def _pages_of_channels(blocks: list[ElementTree.Element], channels: int) -> tuple[int, ...]:
    """The page that holds each channel, if TiffData elements say so for every one; else ()."""
    pages: dict[int, int] = {}
    for block in blocks[:1024]:
        first, page = int(block.get("FirstC", "0")), int(block.get("IFD", "0"))
        count = int(block.get("PlaneCount", "1" if "IFD" in block.attrib else str(channels)))
        pages.update({first + i: page + i for i in range(max(0, min(count, channels - first, 1024)))})
    complete = len(pages) == channels and all(c in pages for c in range(channels))
    return tuple(pages[c] for c in range(channels)) if complete else ()


def _imagej(page: TiffPage, description: str) -> Declared:
    facts = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    counts = {
        key: int(facts[key])
        for key in ("channels", "slices", "frames", "images")
        if facts.get(key, "").isdigit()
    }
    metadata = page.tags.valueof(50839)  # IJMetadata, decoded by tifffile to a dict
    labels = metadata.get("Labels", []) if isinstance(metadata, dict) else []
    names = tuple(str(label) for label in labels) if isinstance(labels, list) else ()
    return Declared(
        channels=counts.get("channels"),
        stack=_stack({"z-slice": counts.get("slices", 1), "time point": counts.get("frames", 1)}),
        names=names,
        pixel_size_um=_size_by_tags(page, unit_um=_UM_PER.get(facts.get("unit", "").strip().lower())),
    )


def _shaped(page: TiffPage, description: str) -> Declared:
    try:
        facts = json.loads(description)
    except (ValueError, RecursionError):
        return Declared()
    axes, shape = facts.get("axes"), facts.get("shape")
    size = _size_by_tags(page, unit_um=None)
    named = facts.get("Channel", {})
    names = named.get("Name", ()) if isinstance(named, dict) else ()
    names = tuple(str(name) for name in names) if isinstance(names, list) else ()
    if not isinstance(axes, str) or not isinstance(shape, list) or len(axes) != len(shape):
        return Declared(pixel_size_um=size, names=names)
    counts = {axis: n for axis, n in zip(axes, shape, strict=True) if isinstance(n, int)}
    stack = _stack({"z-slice": counts.get("Z", 1), "time point": counts.get("T", 1)})
    return Declared(channels=counts.get("C"), stack=stack, names=names, pixel_size_um=size)


def _size_by_tags(page: TiffPage, *, unit_um: float | None) -> float | None:
    """Micrometres per pixel by XResolution (pixels per unit); the unit as given, else by ResolutionUnit."""
    resolution, unit = page.tags.valueof(282), page.tags.valueof(296)
    if not (
        isinstance(resolution, tuple) and len(resolution) == 2 and resolution[0] > 0 and resolution[1] > 0
    ):
        return None
    per_unit = resolution[0] / resolution[1]
    if unit_um is not None:
        return _positive(unit_um / per_unit)
    if unit == 3:
        dots, size = per_unit * 2.54, 1e4 / per_unit
    elif unit == 2:
        dots, size = per_unit, 25_400 / per_unit
    else:
        return None
    return None if round(dots) in _PRINT_RESOLUTIONS else _positive(size)


def _positive(size: float) -> float | None:
    """A pixel between 0.1 nm and 1 mm; anything else is a default that nobody set."""
    return round(size, 9) if 1e-4 <= size <= 1e3 else None


def _stack(counts: dict[str, int]) -> str:
    return " and ".join(f"{count} {noun}s" for noun, count in counts.items() if count > 1)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _bad_ome(source: Source) -> PixelError:
    return source.error("its OME-XML description is damaged", do="Export it again as OME-TIFF or plain TIFF.")
