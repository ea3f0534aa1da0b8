from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage

from worker.cellsam.__main__ import main


def test_errors_are_one_line_with_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(Path(skimage.__file__).parent / "data" / "cell.png")
    for arguments in (
        ["segment", image, "--roles", "golgi", "--out", str(tmp_path)],
        ["segment", image, "--weights", image, "--out", str(tmp_path)],
        ["segment", image, "--out", image],
        ["segment", image, "--out", str(tmp_path / "labels.tif")],
        ["segment", image, "--device", "abacus", "--out", str(tmp_path)],
        ["segment", image, "--device", "cuda:99", "--out", str(tmp_path)],
        ["evaluate", "--data", str(tmp_path)],
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["segment"], "IMAGE"),
        (["segment", "a.tif", "--format", "gif"], "invalid choice: 'gif'"),
        (["segment", "a.tif", "--scale", "large"], "'large'"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_wrong_arguments_are_named_in_one_line(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert reason in error
    assert error.count("\n") == 1


def test_a_command_that_is_stopped_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("worker.cellsam.cli.segment.open_image", stopped)
    np.save(tmp_path / "image.npy", np.zeros((9, 9), np.uint8))

    assert main(["segment", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_info_prints_what_the_weights_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["licence"].strip() == "Apache-2.0"
    assert lines["model"].strip().startswith("tiny, ")
    assert "dsb2018" in lines["trained on"]

    assert main(["info", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["config"]["name"] == "tiny"
    assert about["trunk"] == lines["trunk"].strip()
    assert len(about["trunk"]) == 64


def test_the_package_and_its_commands_run_without_django_and_torchvision() -> None:
    code = "import sys, worker.cellsam.__main__; print({'django', 'torchvision', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
