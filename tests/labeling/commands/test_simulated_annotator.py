"""manage.py simulated_annotator, as far as it goes without a server: polygons need none."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image


def truth(folder: Path) -> Path:
    labels = np.zeros((32, 32), np.uint16)
    labels[2:12, 2:12], labels[20:30, 18:30] = 1, 2
    for name in ("a", "b", "c"):
        Image.fromarray(np.full((32, 32), 7, np.uint8)).save(folder / f"{name}.png")
        Image.fromarray(labels).save(folder / f"{name}_labels.png")
    rows = [f"set,nuclei,test,{name}.png,{name}_labels.png" for name in ("a", "b", "c")]
    (folder / "manifest.csv").write_text("\n".join(["dataset,modality,split,image,labels", *rows]))
    return folder


def run(folder: Path, **options: object) -> str:
    said = io.StringIO()
    defaults: dict[str, object] = {"token": "t", "data": folder, "arm": ["polygons"], "out": folder / "out"}
    call_command("simulated_annotator", stdout=said, **(defaults | options))
    return said.getvalue()


def test_polygons_cost_their_clicks(tmp_path: Path):
    said = run(truth(tmp_path), images=2, seeds=2)
    # two rectangles an image: four clicks each
    assert "| A | polygons by hand | random | 2 | 4 | 8 | 1.000 | 1.000 | 4.000 |" in said
    assert (tmp_path / "out" / "summary.md").read_text() in said


def test_a_second_call_goes_on_where_the_first_ended(tmp_path: Path):
    run(truth(tmp_path), images=2)
    images = tmp_path / "out" / "A-polygons-random-0.images.csv"
    two = images.read_text()
    run(tmp_path, images=3)
    assert images.read_text().startswith(two)
    assert len(images.read_text().splitlines()) == 1 + 3


def test_seeds_are_shared_out(tmp_path: Path):
    run(truth(tmp_path), images=2, first_seed=1, seeds=2)
    played = sorted(path.name for path in (tmp_path / "out").glob("*.images.csv"))
    assert played == ["A-polygons-random-1.images.csv", "A-polygons-random-2.images.csv"]


def test_it_says_what_it_lacks(tmp_path: Path):
    with pytest.raises(CommandError, match=r"manifest\.csv does not exist"):
        run(tmp_path)
    with pytest.raises(CommandError, match="API token"):
        run(truth(tmp_path), token="")
    with pytest.raises(CommandError, match="not the address of a server"):
        run(truth(tmp_path), url="localhost")
