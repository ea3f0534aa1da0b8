"""TIFF: one plane, channels as pages or samples, RGB; integers, floats, 1-bit; OME and ImageJ metadata.

Pages are channels when metadata say so, or when nothing says otherwise and there are at most 8; they are frames of a
time-lapse or a z-stack when metadata say so, and when there are more. Every offset is
checked against the file's size before a byte of samples is read, which is also how a truncated file is told.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, replace

import numpy as np
from tifffile import TiffFile, TiffFileError, TiffFrame, TiffPage

from labeling.pixels.info import RGB_NAMES, PixelInfo, Pixels, channel_names
from labeling.pixels.limits import MAX_CHANNELS, MAX_FRAMES, MAX_PLANES, MAX_UNDECLARED_CHANNELS, Source
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

_WHITE_IS_ZERO, _RGB, PALETTE, _YCBCR = 0, 2, 3, 6


@dataclass(frozen=True, slots=True)
class Layout:
    pages: list[
        TiffPage
    ]  # one a plane, frame by frame; or one a frame, whose samples are the planes; or the run's
    planes: int  # channels of a frame, without alpha
    run: tuple[
        int, ...
    ]  # one IFD, followed by other planes' uncompressed samples (ImageJ): the place of each plane
    photo: bool
    info: PixelInfo


def probe(source: Source) -> PixelInfo:
    with open_tiff(source) as tiff:
        return layout_of(source, tiff).info


def read(source: Source, frame: int) -> Pixels:
    with open_tiff(source) as tiff:
        layout = layout_of(source, tiff)
        first, planes = layout.pages[0], layout.planes
        dtype = np.dtype(first.dtype).newbyteorder("=")
        array = np.empty((planes, first.imagelength, first.imagewidth), dtype=dtype)
        if layout.run:
            read_run(source, first, array, layout.run[frame * planes : (frame + 1) * planes])
        else:
            in_frame = len(layout.pages) // layout.info.frames
            per_page = planes // in_frame
            for number in range(in_frame):
                place = frame * in_frame + number
                window = array[number * per_page : (number + 1) * per_page]
                read_page(source, layout.pages[place], window, place)
        return finish(source, as_shown(first, array), layout.info, photo=layout.photo)


def open_tiff(source: Source) -> TiffFile:
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


def layout_of(source: Source, tiff: TiffFile) -> Layout:
    pages, cut = _full_pages(source, tiff)
    first, facts = pages[0], declared(source, pages[0])
    _refuse_what_is_no_series(source, facts)
    samples = _samples(first)
    facts = _with_frames(facts, len(pages), samples)
    is_run = len(pages) == 1 and samples == 1 and _is_run(source, first, facts)
    held = (facts.channels or 1) * facts.frames if is_run else len(pages) * samples
    planes = max(1, held // facts.frames)
    _check_pages(source, pages, facts, held)
    itemsize = np.dtype(first.dtype).itemsize if first.dtype is not None else 1
    for page in pages:
        source.check_claim(
            height=page.imagelength,
            width=page.imagewidth,
            channels=planes,
            sample_bytes=itemsize,
            frames=facts.frames,
        )
    dtype = stored_dtype(source, first.dtype)
    for number, page in enumerate(pages):
        check_blocks(source, page, number, len(pages) + cut, held if is_run else 1)
    if cut:
        raise truncated(source, len(pages), len(pages) + 1)
    photo = first.photometric == PALETTE or (samples == 3 and first.photometric in (_RGB, _YCBCR))
    order = _order(source, facts, held if is_run else len(pages))
    return Layout(
        pages=pages if is_run else [pages[number] for number in order],
        planes=planes,
        run=order if is_run else (),
        photo=photo,
        info=_info(first, facts, planes, photo=photo, dtype=dtype),
    )


def _order(source: Source, facts: Declared, held: int) -> tuple[int, ...]:
    """The place in the file of each plane, frame by frame and channel by channel, as far as the metadata name them."""
    order = facts.page_of_plane
    if len(order) != held:
        return tuple(range(held))
    if min(order) < 0 or max(order) >= held:
        raise source.error("its metadata name pages that it does not hold", do=RESAVE)
    return order


def _refuse_what_is_no_series(source: Source, facts: Declared) -> None:
    if facts.images > 1 or facts.elsewhere:
        held = (
            f"it holds {facts.images} images" if facts.images > 1 else "parts of its image lie in other files"
        )
        raise source.error(held, do="Export one image with all its channels into one file and upload that.")
    if facts.both:
        raise source.error(
            f"it is a stack of {facts.both}; one of the two at a time is taken",
            do="Save a file for each time point or for each z-slice and upload those.",
        )


def _with_frames(facts: Declared, pages: int, samples: int) -> Declared:
    """Pages that nothing describes: a few are channels; many are frames, and so are pages of colour."""
    silent = facts.frames == 1 and facts.channels in (None, samples)
    if silent and pages > (1 if samples > 1 else MAX_UNDECLARED_CHANNELS):
        return replace(facts, frames=pages, axis="t", channels=samples, names=(), guessed=True)
    return facts


def _info(page: TiffPage, facts: Declared, planes: int, *, photo: bool, dtype: str) -> PixelInfo:
    notes = []
    if page.tags.valueof(274) not in (None, 1):
        notes.append("It asks viewers to turn it (Orientation tag); the stored pixels are kept unturned.")
    if page.samplesperpixel > _samples(page):
        notes.append("Its transparency is left out.")
    if facts.guessed:
        notes.append(f"It does not say what its {facts.frames} pages are; they are taken as time points.")
    return PixelInfo(
        format="tiff",
        height=page.imagelength,
        width=page.imagewidth,
        dtype="uint8" if dtype == "uint8" or page.photometric == PALETTE else "uint16",
        channel_names=RGB_NAMES if photo else channel_names(planes, facts.names),
        pixel_size_um=facts.pixel_size_um,
        source_dtype=np.dtype(page.dtype).name,
        frames=facts.frames,
        axis=facts.axis,
        notes=tuple(notes),
    )


def _full_pages(source: Source, tiff: TiffFile) -> tuple[list[TiffPage], bool]:
    """The pages that are images of their own, not reduced copies, and whether the file was cut before the next one.

    Reads at most a few more pages than are accepted.
    """
    try:
        chain = list(itertools.islice(iter(tiff.pages), MAX_PLANES + 1))
    except (TiffFileError, *DECODER_ERRORS) as error:
        raise source.error("its list of pages is damaged or cut short", do=UPLOAD_AGAIN) from error
    pages = [page for page in chain if isinstance(page, TiffPage) and not page.subfiletype & 0b101]
    if not pages:
        raise source.error("it holds no full-size image", do=RESAVE)
    cut = len(chain) <= MAX_PLANES and _next_page_offset(source, chain[-1]) != 0
    return pages, cut


def _next_page_offset(source: Source, page: TiffPage | TiffFrame) -> int:
    """Where the page says that the next one begins; 0 at the end. tifffile drops a next page that the file lacks."""
    form = page.parent.tiff
    (tags,) = struct.unpack(form.tagnoformat, source.read_at(page.offset, form.tagnosize))
    at = page.offset + form.tagnosize + tags * form.tagsize
    (offset,) = struct.unpack(form.offsetformat, source.read_at(at, form.offsetsize))
    return int(offset)


def _check_pages(source: Source, pages: list[TiffPage], facts: Declared, held: int) -> None:
    """``held`` counts planes in the file: one a page and sample, or those of the run."""
    first = pages[0]
    if any((page.shape, page.dtype) != (first.shape, first.dtype) for page in pages):
        sizes = ", ".join(dict.fromkeys(f"{p.imagewidth} x {p.imagelength} ({p.dtype})" for p in pages))
        raise source.error(
            f"its pages differ: {sizes}", do="Save the page you want as its own file and upload that."
        )
    _check_frames(source, facts, len(pages), held)
    if len(pages) > facts.frames and _samples(first) > 1:
        raise source.error(
            f"it is a stack of {len(pages)} colour pages and says that they are channels",
            do="Save one page per file and upload those.",
        )
    channels = held // facts.frames
    if channels > MAX_CHANNELS:
        raise source.error(
            f"it declares {channels} channels, more than the {MAX_CHANNELS} that are accepted",
            do="Keep the channels you need and upload that.",
        )
    if facts.channels and facts.channels > channels and _samples(first) == 1:
        sound = "Page 1 is fine." if held == 1 else f"Pages 1 to {held} are fine."
        raise source.error(
            f"it declares {facts.channels} channels and holds {channels}",
            fine=sound,
            do="Upload it again from the original, or save the channels that are there as a new file.",
        )


def _check_frames(source: Source, facts: Declared, pages: int, held: int) -> None:
    noun = "z-slices" if facts.axis == "z" else "time points"
    if facts.frames > MAX_FRAMES or pages > MAX_PLANES:
        count = f"{facts.frames} {noun}" if facts.frames > MAX_FRAMES else f"more than {MAX_PLANES} pages"
        raise source.error(
            f"it has {count}, more than is accepted in one file ({MAX_FRAMES} frames, {MAX_PLANES} planes)",
            do="Cut it into shorter pieces and upload those.",
        )
    if facts.frames > 1 and (held % facts.frames or held < facts.frames * (facts.channels or 1)):
        each = f" of {facts.channels} channels" if (facts.channels or 1) > 1 else ""
        raise source.error(
            f"it declares {facts.frames} {noun}{each} and holds {held} {'plane' if held == 1 else 'planes'}",
            do="Copy it from the original and upload it again, or save the frames that are there as a new file.",
        )


def _is_run(source: Source, page: TiffPage, facts: Declared) -> bool:
    """One IFD for several planes that follow each other unpacked, as ImageJ and tifffile write them."""
    plain = page.compression == UNCOMPRESSED and page.bitspersample in (8, 16, 32, 64) and not page.is_tiled
    planes = (facts.channels or 1) * facts.frames
    if not plain or planes < 2 or page.dtype is None:
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
            plane_bytes * planes,
        )
    )


def _samples(page: TiffPage) -> int:
    """Samples of a pixel without alpha (ExtraSamples 1 or 2)."""
    alpha = sum(1 for kind in page.extrasamples if kind in (1, 2))
    return max(1, page.samplesperpixel - alpha)


def as_shown(page: TiffPage, array_chw: AnyArray) -> AnyArray:
    """Dark is low: palettes are looked up, and samples where 0 means white are inverted."""
    colormap = page.colormap
    if page.photometric == PALETTE and colormap is not None:
        return (np.asarray(colormap)[:, array_chw[0]] >> 8).astype(np.uint8)
    if page.photometric == _WHITE_IS_ZERO and array_chw.dtype.kind == "b":
        return np.logical_not(array_chw)
    if page.photometric == _WHITE_IS_ZERO and array_chw.dtype.kind == "u":
        highest = np.array(2 ** int(page.bitspersample) - 1, dtype=array_chw.dtype)
        return np.asarray(np.subtract(highest, array_chw))
    return array_chw
