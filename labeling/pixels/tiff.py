"""TIFF: one plane, channels as pages or samples, RGB; integers, floats, 1-bit; OME and ImageJ metadata.

Pages are channels when metadata say so, or when nothing says otherwise and there are at most 8. Every offset is
checked against the file's size before a byte of samples is read, which is also how a truncated file is told.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

import numpy as np
from tifffile import TiffFile, TiffFileError, TiffFrame, TiffPage

from labeling.pixels.info import RGB_NAMES, PixelInfo, Pixels, channel_names
from labeling.pixels.limits import MAX_CHANNELS, MAX_UNDECLARED_CHANNELS, Source
from labeling.pixels.samples import DECODER_ERRORS, AnyArray, finish, stored_dtype
from labeling.pixels.tiff_axes import Declared, declared
from labeling.pixels.tiff_blocks import (
    RESAVE,
    UNCOMPRESSED,
    UPLOAD_AGAIN,
    check_blocks,
    read_page,
    read_run,
    truncated,
)

_WHITE_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 2, 3, 6


@dataclass(frozen=True, slots=True)
class _Layout:
    pages: list[TiffPage]  # one a channel, or the single page whose samples or raw run hold all
    planes: int  # channels in the file, without alpha
    raw_planes: bool  # one IFD, followed by the other planes' uncompressed samples (ImageJ, tifffile)
    photo: bool
    info: PixelInfo


def probe(source: Source) -> PixelInfo:
    with _open(source) as tiff:
        return _layout(source, tiff).info


def read(source: Source) -> Pixels:
    with _open(source) as tiff:
        layout = _layout(source, tiff)
        first = layout.pages[0]
        dtype = np.dtype(first.dtype).newbyteorder("=")
        array = np.empty((layout.planes, first.imagelength, first.imagewidth), dtype=dtype)
        if layout.raw_planes:
            read_run(source, first, array)
        else:
            per_page = layout.planes // len(layout.pages)
            for number, page in enumerate(layout.pages):
                read_page(source, page, array[number * per_page : (number + 1) * per_page], number)
        return finish(source, _as_shown(first, array), layout.info, photo=layout.photo)


def _open(source: Source) -> TiffFile:
    try:
        # tifffile reads these vendors' tables while opening; none of them is wanted here.
        return TiffFile(
            source.rewound(),
            name="upload",
            is_lsm=False,
            is_scanimage=False,
            is_ndpi=False,
            is_stk=False,
            is_sis=False,
        )
    except (TiffFileError, *DECODER_ERRORS) as error:
        raise source.error("its TIFF header is damaged or cut short", do=UPLOAD_AGAIN) from error


def _layout(source: Source, tiff: TiffFile) -> _Layout:
    pages, cut = _full_pages(source, tiff)
    first, facts = pages[0], declared(source, pages[0])
    _refuse_what_is_no_plane(source, facts)
    samples = _samples(first)
    raw_planes = len(pages) == 1 and samples == 1 and _is_run(source, first, facts)
    planes = (facts.channels or 1) if raw_planes else len(pages) * samples
    _check_pages(source, pages, facts, planes)
    itemsize = np.dtype(first.dtype).itemsize if first.dtype is not None else 1
    for page in pages:
        source.check_claim(
            height=page.imagelength, width=page.imagewidth, channels=planes, sample_bytes=itemsize
        )
    dtype = stored_dtype(source, first.dtype)
    for number, page in enumerate(pages):
        check_blocks(source, page, number, len(pages) + cut, planes if raw_planes else 1)
    if cut:
        raise truncated(source, len(pages), len(pages) + 1)
    ordered = [pages[i] for i in facts.page_of_channel] if len(facts.page_of_channel) == len(pages) else pages
    photo = first.photometric == _PALETTE or (samples == 3 and first.photometric in (_RGB, _YCBCR))
    return _Layout(ordered, planes, raw_planes, photo, _info(first, facts, planes, photo=photo, dtype=dtype))


def _refuse_what_is_no_plane(source: Source, facts: Declared) -> None:
    if facts.images > 1 or facts.elsewhere:
        held = (
            f"it holds {facts.images} images" if facts.images > 1 else "parts of its image lie in other files"
        )
        raise source.error(held, do="Export one image with all its channels into one file and upload that.")
    if facts.stack:
        raise source.error(
            f"it is a stack of {facts.stack}; stacks are not supported yet",
            do="Save one plane per file and upload those.",
        )


def _info(page: TiffPage, facts: Declared, planes: int, *, photo: bool, dtype: str) -> PixelInfo:
    notes = []
    if page.tags.valueof(274) not in (None, 1):
        notes.append("It asks viewers to turn it (Orientation tag); the stored pixels are kept unturned.")
    if page.samplesperpixel > _samples(page):
        notes.append("Its transparency is left out.")
    return PixelInfo(
        format="tiff",
        height=page.imagelength,
        width=page.imagewidth,
        dtype="uint8" if dtype == "uint8" or page.photometric == _PALETTE else "uint16",
        channel_names=RGB_NAMES if photo else channel_names(planes, facts.names),
        pixel_size_um=facts.pixel_size_um,
        source_dtype=np.dtype(page.dtype).name,
        notes=tuple(notes),
    )


def _full_pages(source: Source, tiff: TiffFile) -> tuple[list[TiffPage], bool]:
    """The pages that are images of their own, not reduced copies, and whether the file was cut before the next one.

    Reads at most a few more pages than are accepted.
    """
    try:
        chain = list(itertools.islice(iter(tiff.pages), 2 * MAX_CHANNELS + 1))
    except (TiffFileError, *DECODER_ERRORS) as error:
        raise source.error("its list of pages is damaged or cut short", do=UPLOAD_AGAIN) from error
    pages = [page for page in chain if isinstance(page, TiffPage) and not page.subfiletype & 0b101]
    if not pages:
        raise source.error("it holds no full-size image", do=RESAVE)
    cut = len(chain) <= 2 * MAX_CHANNELS and _next_page_offset(source, chain[-1]) != 0
    return pages, cut


def _next_page_offset(source: Source, page: TiffPage | TiffFrame) -> int:
    """Where the page says that the next one begins; 0 at the end. tifffile drops a next page that the file lacks."""
    form = page.parent.tiff
    (tags,) = struct.unpack(form.tagnoformat, source.read_at(page.offset, form.tagnosize))
    at = page.offset + form.tagnosize + tags * form.tagsize
    (offset,) = struct.unpack(form.offsetformat, source.read_at(at, form.offsetsize))
    return int(offset)


def _check_pages(source: Source, pages: list[TiffPage], facts: Declared, planes: int) -> None:
    first = pages[0]
    limit = MAX_CHANNELS if facts.channels else MAX_UNDECLARED_CHANNELS
    if len(pages) > 1 and _samples(first) > 1:
        raise source.error(
            f"it is a stack of {len(pages)} colour pages; stacks are not supported yet",
            do="Save one page per file and upload those.",
        )
    if planes > limit:
        if facts.channels:
            raise source.error(
                f"it declares {planes} channels, more than the {limit} that are accepted",
                do="Keep the channels you need and upload that.",
            )
        count = f"more than {2 * MAX_CHANNELS}" if len(pages) > 2 * MAX_CHANNELS else str(planes)
        raise source.error(
            f"it has {count} pages or planes and does not say that they are channels; stacks are not supported yet",
            do="Save one plane per file and upload those, or export it as OME-TIFF with named channels.",
        )
    if any((page.shape, page.dtype) != (first.shape, first.dtype) for page in pages):
        sizes = ", ".join(dict.fromkeys(f"{p.imagewidth} x {p.imagelength} ({p.dtype})" for p in pages))
        raise source.error(
            f"its pages differ: {sizes}", do="Save the page you want as its own file and upload that."
        )
    if facts.channels and facts.channels > planes and _samples(first) == 1:
        sound = "Page 1 is fine." if planes == 1 else f"Pages 1 to {planes} are fine."
        raise source.error(
            f"it declares {facts.channels} channels and holds {planes}",
            fine=sound,
            do="Upload it again from the original, or save the channels that are there as a new file.",
        )


def _is_run(source: Source, page: TiffPage, facts: Declared) -> bool:
    """One IFD for several planes that follow each other unpacked, as ImageJ and tifffile write them."""
    plain = page.compression == UNCOMPRESSED and page.bitspersample in (8, 16, 32, 64) and not page.is_tiled
    if not plain or not facts.channels or facts.channels < 2 or page.dtype is None:
        return False
    plane_bytes = page.imagelength * page.imagewidth * np.dtype(page.dtype).itemsize
    offsets, counts = page.dataoffsets, page.databytecounts
    joined = all(a + n == b for a, n, b in zip(offsets, counts, offsets[1:], strict=False))
    # Less than two planes behind the header is a file with one page too few, not a cut run.
    return (
        joined
        and bool(offsets)
        and offsets[0] + plane_bytes < source.size
        and sum(counts)
        in (
            plane_bytes,
            plane_bytes * facts.channels,
        )
    )


def _samples(page: TiffPage) -> int:
    """Samples of a pixel without alpha (ExtraSamples 1 or 2)."""
    alpha = sum(1 for kind in page.extrasamples if kind in (1, 2))
    return max(1, page.samplesperpixel - alpha)


def _as_shown(page: TiffPage, array_chw: AnyArray) -> AnyArray:
    """Dark is low: palettes are looked up, and samples where 0 means white are inverted."""
    colormap = page.colormap
    if page.photometric == _PALETTE and colormap is not None:
        return (np.asarray(colormap)[:, array_chw[0]] >> 8).astype(np.uint8)
    if page.photometric == _WHITE_IS_ZERO and array_chw.dtype.kind == "b":
        return np.logical_not(array_chw)
    if page.photometric == _WHITE_IS_ZERO and array_chw.dtype.kind == "u":
        highest = np.array(2 ** int(page.bitspersample) - 1, dtype=array_chw.dtype)
        return np.asarray(np.subtract(highest, array_chw))
    return array_chw
