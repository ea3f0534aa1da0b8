"""Images for a first look: real ones that lie in packages we install, and simulated ones with exact truth.

Real: crops of the nuclei field in StarDist's wheel (2018 Data Science Bowl, with its hand-made mask), and ``ihc`` and
``cell`` from scikit-image's. Files are found through the packages' metadata; StarDist itself is never imported (it is
installed without TensorFlow), and nothing is downloaded. The same versions give the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from numpy.typing import NDArray
from tifffile import imread, imwrite

from labeling.pixels import ChannelRoles
from labeling.simulate import Kind, simulate

_CROP = 256
_SIMULATED: tuple[tuple[Kind, int, int, int, float], ...] = (  # kind, height, width, cells, pixel size in µm
    ("nuclei", 512, 512, 70, 0.325),
    ("nuclei", 480, 640, 120, 0.325),
    ("nuclei", 512, 512, 150, 0.5),
    ("tissue", 512, 512, 110, 0.5),
    ("tissue", 480, 640, 170, 0.5),
    ("phase", 512, 640, 60, 0.65),
    ("rods", 400, 512, 110, 0.065),
)


class DemoImageMissing(RuntimeError):
    """A package that carries a demonstration image is not installed, or lacks the file."""


@dataclass(frozen=True, slots=True)
class DemoImage:
    """One file as a user would upload it."""

    name: str
    data: bytes
    roles: ChannelRoles  # names of its channels as labeling.pixels reads them
    group: str  # images of one group show the same specimen and belong in the same split
    truth: NDArray[np.int32] | None  # (H, W) labels, 0 background; None where nobody has labelled it
    origin: str  # one line for people


def demo_images() -> list[DemoImage]:
    """About a dozen images. Raises DemoImageMissing with what to do."""
    images, missing = demo_images_at_hand()
    if missing:
        raise DemoImageMissing(missing[0])
    return images


def demo_images_at_hand() -> tuple[list[DemoImage], list[str]]:
    """The images whose packages are installed, and a sentence for each package that is not.

    StarDist has no wheel for every Python; the others make a demonstration without it.
    """
    images: list[DemoImage] = []
    missing: list[str] = []
    for collect in (_nuclei_field, _scikit_image):
        try:
            images += collect()
        except DemoImageMissing as error:
            missing.append(str(error))
    images += [_simulated(number, *scene) for number, scene in enumerate(_SIMULATED, start=1)]
    return images, missing


def _nuclei_field() -> list[DemoImage]:
    """The 512 x 512 field as four crops, so that there is more than one real image with known truth."""
    field = imread(io.BytesIO(_file_of("stardist", "stardist/data/images/img2d.tif")))
    truth = imread(io.BytesIO(_file_of("stardist", "stardist/data/images/mask2d.tif")))
    crops: list[DemoImage] = []
    for top in range(0, field.shape[0], _CROP):
        for left in range(0, field.shape[1], _CROP):
            window = np.s_[top : top + _CROP, left : left + _CROP]
            crops.append(
                DemoImage(
                    name=f"nuclei_field_{len(crops) + 1}.tif",
                    data=_tiff(field[window][None].astype(np.uint16), ("Nuclei",), None),
                    roles={"nuclear": "Nuclei", "whole_cell": None, "rgb": False},
                    group="nuclei_field",
                    truth=_numbered(truth[window]),
                    origin="Real: 2018 Data Science Bowl (CC0), from the stardist package",
                )
            )
    return crops


def _scikit_image() -> list[DemoImage]:
    return [
        DemoImage(
            name="ihc.png",
            data=_file_of("scikit-image", "skimage/data/ihc.png"),
            roles={"nuclear": None, "whole_cell": None, "rgb": True},
            group="ihc",
            truth=None,
            origin="Real: stained colon tissue, from the scikit-image package",
        ),
        DemoImage(
            name="cell.png",
            data=_file_of("scikit-image", "skimage/data/cell.png"),
            roles={"nuclear": None, "whole_cell": "Channel 1", "rgb": False},
            group="cell",
            truth=None,
            origin="Real: one cell in saline, from the scikit-image package",
        ),
    ]


def _simulated(
    number: int, kind: Kind, height: int, width: int, cells: int, pixel_size_um: float
) -> DemoImage:
    scene = simulate(kind, height=height, width=width, cells=cells, seed=number)
    return DemoImage(
        name=f"simulated_{kind}_{number}.tif",
        data=_tiff(scene.image, scene.channel_names, pixel_size_um),
        roles=scene.roles,
        group=f"simulated_{number}",
        truth=scene.labels,
        origin="Simulated by CellLoop, with exact truth",
    )


def _tiff(image_chw: NDArray[np.uint16], names: tuple[str, ...], pixel_size_um: float | None) -> bytes:
    """A zlib OME-TIFF with channel names and, where known, the size of a pixel."""
    facts: dict[str, object] = {"axes": "CYX", "Channel": {"Name": list(names)}}
    # A random one, tifffile's default, would make another file of the same image each time.
    facts["UUID"] = str(uuid5(NAMESPACE_OID, sha256(image_chw.tobytes()).hexdigest()))
    if pixel_size_um is not None:
        facts |= dict.fromkeys(("PhysicalSizeX", "PhysicalSizeY"), pixel_size_um)
        facts |= dict.fromkeys(("PhysicalSizeXUnit", "PhysicalSizeYUnit"), "µm")
    out = io.BytesIO()
    imwrite(
        out, image_chw, ome=True, photometric="minisblack", compression="zlib", metadata=facts, maxworkers=1
    )
    return out.getvalue()


def _numbered(labels_hw: NDArray[np.integer]) -> NDArray[np.int32]:
    """The same cells as 1..n; 0 stays background."""
    values, dense = np.unique(labels_hw, return_inverse=True)
    numbered = dense.reshape(labels_hw.shape) + (0 if values[0] == 0 else 1)
    return np.asarray(numbered, dtype=np.int32)


def _file_of(package: str, path: str) -> bytes:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        raise DemoImageMissing(
            f"the demonstration images need the package {package}: run `make setup`"
        ) from error
    for file in files:
        if file.as_posix() == path:
            return file.read_binary()
    raise DemoImageMissing(f"the installed package {package} has no {path}: run `make setup` again")
