"""One module a published layout; each yields the fields of a folder one by one, without decoding them."""

from __future__ import annotations

from worker.cellsam.data.importers import (
    brifiseg,
    cellpose,
    deepbacs,
    dsb2018,
    livecell,
    manifest_folder,
    omnipose,
    paired_folders,
    tissuenet,
    yeastnet,
    yeaz,
)
from worker.cellsam.data.labelled import Importer

IMPORTERS: dict[str, Importer] = {
    "tissuenet": tissuenet.whole_cells,
    "tissuenet_nuclei": tissuenet.nuclei,
    "deepbacs": deepbacs.fields,
    "brifiseg": brifiseg.fields,
    "cellpose": cellpose.fields,
    "omnipose": omnipose.fields,
    "yeastnet": yeastnet.fields,
    "yeaz": yeaz.fields,
    "dsb2018": dsb2018.fields,
    "phase400": paired_folders.fields,
    "folders": paired_folders.fields,
    "livecell": livecell.fields,
    "manifest": manifest_folder.fields,
}
