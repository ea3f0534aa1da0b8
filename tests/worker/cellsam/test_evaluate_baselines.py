"""Other methods: they run outside the model's path, and are measured by the same functions."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labeling.matching import count_matches
from labeling.simulate import simulate
from worker.cellsam.__main__ import main
from worker.cellsam.baselines import otsu
from worker.cellsam.baselines.peers import PEERS, Peer, PeerTask, run_peer
from worker.cellsam.data.manifest import read_manifest
from worker.cellsam.evaluate.side_by_side import (
    EvaluationError,
    LabelFolder,
    evaluate_side_by_side,
    read_images,
)

from .miniature import write_miniature

# A package's script in miniature: it "predicts" the labels of its training images.
ECHO = """
import json, shutil, sys
from pathlib import Path
task = json.loads(Path(sys.argv[1]).read_text())
import numpy, tifffile
from PIL import Image
for pair, job in zip(task["train"], task["predict"], strict=True):
    Path(job["out"]).parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(job["out"], numpy.asarray(Image.open(pair["labels"])))
Path(task["note"]).write_text(json.dumps({"minutes": task["minutes"], "settings": task["settings"]}))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_miniature(tmp_path_factory.mktemp("data"), {"train": 2, "val": 2})


def test_otsu_finds_bright_and_dark_cells() -> None:
    scene = simulate("nuclei", height=192, width=192, cells=15, seed=4)
    image = scene.image[0].astype(np.float64)

    bright = otsu.segment(image)
    dark = otsu.segment(np.repeat((image.max() - image)[..., None], 3, axis=2))

    assert count_matches(scene.labels, bright).f1 > 0.5
    assert count_matches(bright, dark).f1 > 0.95
    assert set(np.unique(bright)) == set(range(bright.max() + 1))
    assert not otsu.segment(np.full((20, 20), 7)).any()


def test_the_command_labels_and_measures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["baseline", "otsu", "--data", str(data), "--split", "val", "--split", "train"]

    assert main([*arguments, "--out", str(tmp_path)]) == 0

    assert "split val" in capsys.readouterr().out
    with (tmp_path / "figures.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == {"val", "train"}
    assert float(next(row["f1"] for row in rows if row["part"] == "nuclei")) > 0.3
    assert len(list((tmp_path / "labels").rglob("*.tif"))) == 8


@pytest.mark.parametrize("name", sorted(PEERS))
def test_a_missing_package_is_one_line_with_its_installation(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """The packages are no dependencies; the script itself is started, and finds nothing to import."""
    bare = tmp_path / "bare" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)

    assert main(["baseline", name, "--data", str(data), "--out", str(tmp_path), "--python", str(bare)]) == 2

    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert f"no package {name}" in error
    assert "pip install" in error


def test_a_package_runs_in_its_own_python(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    train, val = read_manifest(data, "train"), read_manifest(data, "val")
    task = PeerTask(
        train=train, validation=val, predict=train, out=tmp_path / "out", minutes=3, settings={"rate": 0.1}
    )

    note = run_peer(Peer(script, "echo", ""), task, Path(sys.executable))

    assert note == {"minutes": 3, "settings": {"rate": 0.1}}
    found = evaluate_side_by_side({"echo": LabelFolder(tmp_path / "out" / "labels")}, read_images(train))
    assert found["echo"].figure("f1") == 1
    asked = json.loads((tmp_path / "out" / "task.json").read_text())
    assert [pair["image"] for pair in asked["validation"]] == [str(entry.image.resolve()) for entry in val]


def test_a_script_that_fails_is_an_error(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit(1)")
    entries = read_manifest(data, "train")
    task = PeerTask(train=entries, validation=(), predict=entries, out=tmp_path, minutes=1)

    with pytest.raises(EvaluationError, match="exit code 1"):
        run_peer(Peer(script, "broken", ""), task, Path(sys.executable))
    with pytest.raises(EvaluationError, match="No such file"):
        run_peer(Peer(script, "broken", ""), task, tmp_path / "no-python")
    with pytest.raises(EvaluationError, match="nothing to train on"):
        PeerTask(train=(), validation=(), predict=entries, out=tmp_path, minutes=1).to_json()


def test_the_models_path_knows_no_baseline() -> None:
    code = (
        "import sys, worker.cellsam.predictor, worker.cellsam.evaluate; "
        "print([name for name in sys.modules if 'baselines' in name or name.startswith('matplotlib')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
