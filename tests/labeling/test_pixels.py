"""Reading image files: every accepted kind gives its own samples, with the names and sizes it declares."""

import io
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from labeling.pixels import RGB_NAMES, probe, read_pixels
from tests.labeling.image_files import CHANNELS, COLOUR, GREY, npy, picture, tiff

ONE, TWO = ("Channel 1",), ("Channel 1", "Channel 2")
CHW = np.moveaxis(COLOUR, -1, 0)
OME = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Actin"]}, "PhysicalSizeX": 325, "PhysicalSizeXUnit": "nm"}
IMAGEJ = {"axes": "CYX", "Labels": ["DAPI", "Actin"], "unit": "um"}
DEEP = np.random.default_rng(3).integers(0, 65535, (31, 47, 3)).astype(np.uint16)

EXACT: dict[str, tuple[bytes, NDArray[Any], tuple[str, ...]]] = {
    "one page": (tiff(GREY), GREY[None], ONE),
    "pages of channels": (tiff(CHANNELS, photometric="minisblack", metadata=None), CHANNELS, TWO),
    "tifffile's own": (tiff(CHANNELS), CHANNELS, TWO),
    "tiles, zlib, predictor": (
        tiff(CHANNELS, tile=(32, 48), compression="zlib", predictor=True),
        CHANNELS,
        TWO,
    ),
    "strips, LZW": (tiff(GREY, compression="lzw", rowsperstrip=7), GREY[None], ONE),
    "Zstandard": (tiff(GREY, compression="zstd"), GREY[None], ONE),
    "PackBits": (tiff(COLOUR[..., 0], compression="packbits"), CHW[:1], ONE),
    "big-endian": (tiff(CHANNELS, byteorder=">"), CHANNELS, TWO),
    "BigTIFF": (tiff(CHANNELS, bigtiff=True), CHANNELS, TWO),
    "OME": (tiff(CHANNELS, ome=True, metadata=OME), CHANNELS, ("DAPI", "Actin")),
    "ImageJ": (tiff(CHANNELS, imagej=True, metadata=IMAGEJ), CHANNELS, ("DAPI", "Actin")),
    "samples as channels": (tiff(CHANNELS, planarconfig="separate", photometric="minisblack"), CHANNELS, TWO),
    "TIFF RGB": (tiff(COLOUR, photometric="rgb"), CHW, RGB_NAMES),
    "TIFF RGB in planes": (tiff(CHW, photometric="rgb", planarconfig="separate"), CHW, RGB_NAMES),
    "TIFF RGBA": (tiff(np.dstack([COLOUR, COLOUR[..., :1]]), photometric="rgb"), CHW, RGB_NAMES),
    "white is zero": (tiff(COLOUR[..., 0], photometric="miniswhite"), 255 - CHW[:1], ONE),
    "1-bit": (tiff(COLOUR[..., 0] > 99, photometric="minisblack"), np.where(CHW[:1] > 99, 255, 0), ONE),
    "32-bit that fits": (tiff(GREY.astype(np.int32)), GREY[None], ONE),
    "floats that are whole": (tiff(GREY.astype(np.float64)), GREY[None], ONE),
    "PNG": (picture(COLOUR, "PNG"), CHW, RGB_NAMES),
    "PNG 16-bit": (picture(GREY, "PNG"), GREY[None], ONE),
    "PNG 16-bit RGB": (bytes(imagecodecs.png_encode(DEEP)), np.moveaxis(DEEP, -1, 0), RGB_NAMES),
    "PNG 1-bit": (picture(COLOUR[..., 0] > 99, "PNG"), np.where(CHW[:1] > 99, 255, 0), ONE),
    "PNG grey with alpha": (picture(Image.fromarray(COLOUR[..., 0]).convert("LA"), "PNG"), CHW[:1], ONE),
    "npy": (npy(CHANNELS), CHANNELS, TWO),
    "npy plane": (npy(GREY.astype(">u2")), GREY[None], ONE),
    "npy picture, column-major": (npy(np.asfortranarray(COLOUR)), CHW, RGB_NAMES),
    "npy bool": (npy(GREY > 999), np.where(GREY > 999, 255, 0)[None], ONE),
}


@pytest.mark.parametrize("case", EXACT)
def test_it_works(case: str) -> None:
    data, expected, names = EXACT[case]
    pixels = read_pixels(io.BytesIO(data), "scan.tif")
    assert np.array_equal(pixels.array, expected)
    assert pixels.channel_names == names
    assert pixels.array.dtype in (np.uint8, np.uint16)
    assert pixels.array.dtype.isnative
    assert pixels.array.flags.c_contiguous


@pytest.mark.parametrize("case", EXACT)
def test_headers_already_tell_what_decoding_finds(case: str) -> None:
    data, expected, names = EXACT[case]
    file = io.BytesIO(data)
    info = probe(file, "scan.tif")
    assert file.tell() == 0
    assert (len(info.channel_names), info.height, info.width) == expected.shape
    assert info == read_pixels(file, "scan.tif").info
    assert info.channels == [{"name": name} for name in names]


@pytest.mark.parametrize(("case", "size"), [("OME", 0.325), ("one page", None)])
def test_it_reads_the_size_of_a_pixel(case: str, size: Any) -> None:
    assert read_pixels(io.BytesIO(EXACT[case][0]), "scan.tif").pixel_size_um == size


def test_it_reads_the_size_of_a_pixel_from_resolution_tags() -> None:
    imagej = tiff(GREY, imagej=True, metadata={"unit": "micron"}, resolution=(4, 4))
    centimetres = tiff(GREY, resolution=(20_000, 20_000), resolutionunit="CENTIMETER")
    print_resolution = tiff(GREY, resolution=(300, 300), resolutionunit="INCH")
    sizes = [
        probe(io.BytesIO(data), "a.tif").pixel_size_um for data in (imagej, centimetres, print_resolution)
    ]
    assert sizes == [0.25, 0.5, None]


def test_a_jpeg_is_read_as_colour_or_grey() -> None:
    colour = read_pixels(io.BytesIO(picture(COLOUR, "JPEG", quality=100)), "a.jpg")
    grey = read_pixels(io.BytesIO(picture(COLOUR[..., 0], "JPEG", quality=100)), "a.jpg")
    assert (colour.array.shape, colour.channel_names) == ((3, 64, 50), RGB_NAMES)
    assert (grey.array.shape, grey.channel_names) == ((1, 64, 50), ONE)
    assert np.abs(grey.array[0].astype(int) - COLOUR[..., 0]).max() <= 4


def test_jpeg_blocks_of_a_tiff_are_read() -> None:
    smooth = np.tile(np.linspace(0, 255, 96, dtype=np.uint8)[:, None, None], (1, 96, 3))
    smooth[..., 1] //= 2
    pixels = read_pixels(
        io.BytesIO(tiff(smooth, photometric="rgb", compression="jpeg", tile=(32, 32))), "a.tif"
    )
    assert np.abs(pixels.array.astype(int) - np.moveaxis(smooth, -1, 0)).max() < 12


def test_a_palette_is_looked_up() -> None:
    colours = np.random.default_rng(1).integers(0, 65535, (3, 256)).astype(np.uint16)
    pixels = read_pixels(io.BytesIO(tiff(COLOUR[..., 0], photometric="palette", colormap=colours)), "a.tif")
    assert np.array_equal(pixels.array, colours[:, COLOUR[..., 0]] >> 8)
    quantised = Image.fromarray(COLOUR).quantize(16)
    pixels = read_pixels(io.BytesIO(picture(quantised, "PNG")), "a.png")
    assert np.array_equal(pixels.array, np.moveaxis(np.asarray(quantised.convert("RGB")), -1, 0))


def test_a_grey_picture_saved_as_rgb_is_one_channel() -> None:
    grey = np.repeat(COLOUR[..., :1], 3, axis=2)
    pixels = read_pixels(io.BytesIO(picture(grey, "PNG")), "a.png")
    assert np.array_equal(pixels.array, CHW[:1])
    assert pixels.info.notes == ("Its red, green and blue are equal, so one grey channel is kept.",)
    blank = read_pixels(io.BytesIO(picture(np.full_like(grey, 255), "PNG")), "blank.png")
    assert blank.channel_names == RGB_NAMES  # a blank slide is a picture like the others of its batch


def test_floats_from_0_to_1_keep_their_scale() -> None:
    values = np.linspace(0.25, 0.75, 60, dtype=np.float32).reshape(6, 10)
    pixels = read_pixels(io.BytesIO(tiff(values)), "a.tif")
    assert np.array_equal(pixels.array[0], np.rint(values.astype(np.float64) * 65535))
    assert pixels.source_dtype == "float32"
    assert pixels.info.notes == ("Its float values from 0 to 1 were stored as 0 to 65535.",)


def test_other_floats_are_stretched_and_it_says_so() -> None:
    values = np.stack([np.linspace(-3, 5, 60).reshape(6, 10), np.full((6, 10), 7.5)]).astype(np.float32)
    pixels = read_pixels(io.BytesIO(tiff(values)), "a.tif")
    assert (pixels.array[0].min(), pixels.array[0].max(), pixels.array[1].max()) == (0, 65535, 0)
    assert pixels.info.notes == ("Its float values (-3 to 5, 7.5 to 7.5) were stretched to 0 to 65535.",)


def test_pixels_are_not_turned_by_an_orientation_tag() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = read_pixels(io.BytesIO(picture(COLOUR, "JPEG", exif=exif)), "a.jpg")
    assert pixels.array.shape == (3, 64, 50)
    assert "unturned" in pixels.info.notes[0]


def test_channel_names_are_distinct_and_printable() -> None:
    facts = {"axes": "CYX", "Channel": {"Name": ["Cy5", "Cy5"]}}
    assert probe(io.BytesIO(tiff(CHANNELS, ome=True, metadata=facts)), "a.tif").channel_names == (
        "Cy5",
        "Cy5 2",
    )
    facts = {"axes": "CYX", "Labels": ["a\tb" + "c" * 200, " "]}
    assert probe(io.BytesIO(tiff(CHANNELS, imagej=True, metadata=facts)), "a.tif").channel_names == (
        "ab" + "c" * 78,
        "Channel 2",
    )


def test_smaller_copies_of_the_image_are_not_channels() -> None:
    import tifffile

    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(GREY, subifds=1)
        writer.write(GREY[::2, ::2], subfiletype=1)
        writer.write(GREY[::4, ::4], subfiletype=1)
    assert np.array_equal(read_pixels(out, "pyramid.tif").array, GREY[None])


def test_it_reads_what_django_hands_over() -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    for case in ("OME", "PNG", "npy"):
        data, expected, _ = EXACT[case]
        file = SimpleUploadedFile("scan.tif", data)
        assert probe(file, "scan.tif").width == expected.shape[2]
        assert np.array_equal(read_pixels(file, "scan.tif").array, expected)
