from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage
import tifffile

from labeling.simulate import simulate
from worker.cellsam.__main__ import main


def test_segment_writes_a_label_tiff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = simulate("nuclei", height=128, width=160, cells=12, seed=0)
    tifffile.imwrite(tmp_path / "field.tif", image.image[0])

    assert main(["segment", str(tmp_path / "field.tif")]) == 0

    labels = tifffile.imread(tmp_path / "field_labels.tif")
    assert labels.dtype == np.uint16
    assert labels.shape == (128, 160)
    assert f"{labels.max()} cells" in capsys.readouterr().out


def test_errors_are_one_line_with_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.png").write_text("Dear all")
    image = str(Path(skimage.__file__).parent / "data" / "cell.png")
    for arguments in (
        ["segment", str(tmp_path / "letter.png")],
        ["segment", str(tmp_path / "absent.png")],
        ["segment", image, "--roles", "golgi", "--out", str(tmp_path / "x.tif")],
        ["segment", image, "--weights", image, "--out", str(tmp_path / "x.tif")],
        ["evaluate", "--data", str(tmp_path)],
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1


def test_info_prints_what_the_weights_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["config"]["name"] == "tiny"
    assert len(about["trunk"]) == 64


def test_the_package_runs_without_django_and_torchvision() -> None:
    code = "import sys, worker.cellsam.__main__; print({'django', 'torchvision', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
