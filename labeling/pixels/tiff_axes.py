"""What a TIFF's metadata say about its planes: which are channels and which frames, names, the size of a pixel.

OME-XML, ImageJ's description, tifffile's own JSON description and the resolution tags, read here rather than through
tifffile's series: a series may follow file names in OME-XML to other files on this machine, and allocates what the
metadata claim.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from tifffile import TiffPage

from labeling.pixels.info import FrameAxis, PixelError
from labeling.pixels.limits import MAX_PLANES, Source

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
class _Order:
    """How planes follow each other: the channels of a frame together, or the frames of a channel (``frames_first``)."""

    channels: int
    frames: int
    frames_first: bool

    @property
    def planes(self) -> int:
        return self.channels * self.frames

    def place(self, frame: int, channel: int) -> int:
        """Where a plane stands in the file's order."""
        return frame + channel * self.frames if self.frames_first else channel + frame * self.channels

    def places(self) -> Iterator[int]:
        """The place of each plane, frame by frame and channel by channel."""
        return (
            self.place(frame, channel) for frame in range(self.frames) for channel in range(self.channels)
        )

    def pages(self) -> tuple[int, ...]:
        """The same; () if that is the file's own order, or if there are more planes than are looked at."""
        natural = not self.frames_first or min(self.channels, self.frames) < 2
        return () if natural or self.planes > MAX_PLANES else tuple(self.places())


@dataclass(frozen=True, slots=True)
class Declared:
    """What the metadata say; None and empty where they are silent."""

    channels: int | None = None  # of a frame
    frames: int = 1
    axis: FrameAxis | None = None  # of the frames
    both: str = ""  # "12 z-slices and 5 time points" if frames run along two axes
    names: tuple[str | None, ...] = ()
    pixel_size_um: float | None = None
    images: int = 1
    page_of_plane: tuple[int, ...] = ()  # frame by frame, channel by channel; () for the file's own order
    guessed: bool = False  # the frames are what we make of pages that nothing describes
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
    frames, axis, both = _along(depth=depth, times=times)
    elements = [child for child in pixels if _tag(child) == "Channel"]
    names: list[str | None] = []
    for element in elements:
        samples = int(element.get("SamplesPerPixel", "1"))
        names += [element.get("Name")] if samples == 1 else [None] * min(samples, 4)
    size = pixels.get("PhysicalSizeX")
    per_unit = _UM_PER.get(pixels.get("PhysicalSizeXUnit", "µm").lower())
    blocks = [child for child in pixels if _tag(child) == "TiffData"]
    in_samples = any(int(element.get("SamplesPerPixel", "1")) > 1 for element in elements)
    dimensions = pixels.get("DimensionOrder", "XYCZT")
    order = _Order(
        channels=len(elements) if in_samples else channels,
        frames=frames,
        frames_first=axis is not None and dimensions.find(axis.upper()) < dimensions.find("C"),
    )
    return Declared(
        channels=channels,
        frames=frames,
        axis=axis,
        both=both,
        names=tuple(names),
        pixel_size_um=_positive(float(size) * per_unit) if size and per_unit else None,
        images=images,
        page_of_plane=_ome_pages(blocks, order, f"First{(axis or 't').upper()}"),
        elsewhere=len({uuid.text for block in blocks for uuid in block if _tag(uuid) == "UUID"}) > 1,
    )


def _ome_pages(blocks: list[ElementTree.Element], order: _Order, first_frame: str) -> tuple[int, ...]:
    """The page of each plane, frame by frame, if TiffData elements say so for every one; else by the order alone."""
    if order.planes > MAX_PLANES:
        return ()
    pages: dict[int, int] = {}
    for block in blocks[:MAX_PLANES]:
        frame, channel = int(block.get(first_frame, "0")), int(block.get("FirstC", "0"))
        first, page = order.place(frame, channel), int(block.get("IFD", "0"))
        count = int(block.get("PlaneCount", "1" if "IFD" in block.attrib else str(order.planes)))
        pages.update({first + i: page + i for i in range(max(0, min(count, order.planes - first)))})
    complete = len(pages) == order.planes and all(plane in pages for plane in range(order.planes))
    return tuple(pages[place] for place in order.places()) if complete else order.pages()


def _imagej(page: TiffPage, description: str) -> Declared:
    facts = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    counts = {
        key: int(facts[key])
        for key in ("channels", "slices", "frames", "images")
        if facts.get(key, "").isdigit()
    }
    metadata = page.tags.valueof(50839)  # IJMetadata, decoded by tifffile to a dict
    labels = metadata.get("Labels", []) if isinstance(metadata, dict) else []
    frames, axis, both = _along(depth=counts.get("slices", 1), times=counts.get("frames", 1))
    # ImageJ labels planes: those of a series name its frames.
    names = tuple(str(label) for label in labels) if isinstance(labels, list) and frames == 1 else ()
    return Declared(
        channels=counts.get("channels"),
        frames=frames,
        axis=axis,
        both=both,
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
    frames, axis, both = _along(depth=counts.get("Z", 1), times=counts.get("T", 1))
    order = _Order(
        channels=counts.get("C", 1),
        frames=frames,
        frames_first=axis is not None and axes.find(axis.upper()) > axes.find("C") >= 0,
    )
    return Declared(
        channels=counts.get("C"), frames=frames, axis=axis, both=both, names=names, pixel_size_um=size,
        page_of_plane=order.pages(),
    )  # fmt: skip


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


def _along(*, depth: int, times: int) -> tuple[int, FrameAxis | None, str]:
    """Frames, their axis, and what to say if they run along both."""
    if depth > 1 and times > 1:
        return 1, None, f"{depth} z-slices and {times} time points"
    if times > 1:
        return times, "t", ""
    return (depth, "z", "") if depth > 1 else (1, None, "")


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _bad_ome(source: Source) -> PixelError:
    return source.error("its OME-XML description is damaged", do="Export it again as OME-TIFF or plain TIFF.")
