"""Cellpose by its own package: trained from scratch for some minutes, or with its published weights.

A script for a Python environment that has Cellpose 3 (`pip install 'cellpose==3.1.1.2'`); started by `peers.run_peer`
with the path of a task file. It imports nothing of CellLoop. Network, loss, augmentation, learning-rate schedule, size
model and mask reconstruction are the package's. The schedule is counted in epochs, so the minutes are turned into a
number of batches by timing a few, and these are spread over the epochs. Minutes are CPU time divided by the threads,
which on free cores is about the clock's, and does not depend on what else the machine does.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

MISSING_PACKAGE = 3
CHANNELS = [1, 2]  # of the arrays made here: what to segment, and nuclei where there are any
BATCH = 8
PROBE_BATCHES = 3  # timed before the training
EPOCHS = 500  # the package's own number; it lowers the rate over the last 100 of them

# The package's command line from scratch ("--pretrained_model None"). "size_images": crops for the size model.
DEFAULTS = {
    "sgd": True,
    "learning_rate": 0.2,
    "momentum": 0.9,
    "weight_decay": 1e-5,
    "diam_mean": 30.0,
    "size_images": 128,
}


def main(task_path: str) -> int:
    """Train or load, predict, write the label maps and the note."""
    try:
        cellpose = {
            name: importlib.import_module(f"cellpose.{name}") for name in ("models", "train", "dynamics")
        }
    except ModuleNotFoundError:
        return MISSING_PACKAGE
    import numpy as np
    import torch

    task = json.loads(Path(task_path).read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    torch.manual_seed(task["seed"])
    np.random.seed(task["seed"])
    note: dict[str, Any] = {"package": _version("cellpose"), "torch": torch.__version__, "seed": task["seed"]}
    if task["published"]:
        model = cellpose["models"].Cellpose(gpu=torch.cuda.is_available(), model_type=task["published"])
        predict = _published(model)
        note["weights"] = task["published"]
    else:
        predict = _trained(cellpose, task, note)
    started = time.perf_counter()
    for job in task["predict"]:
        _write(predict(_image(job["image"])), Path(job["out"]))
    note["seconds_predicting"] = round(time.perf_counter() - started, 1)
    note["images_predicted"] = len(task["predict"])
    Path(task["note"]).write_text(json.dumps(note, indent=2), encoding="utf-8")
    return 0


def _trained(cellpose: dict[str, Any], task: dict[str, Any], note: dict[str, Any]) -> Any:
    """Train network and size model on the task's train split; returns image -> labels."""
    settings = {**DEFAULTS, **task["settings"]}
    started = time.perf_counter()
    images = [_image(pair["image"]) for pair in task["train"]]
    labels = [_labels(pair["labels"]) for pair in task["train"]]
    model = _fresh(cellpose, task, settings)
    flows = cellpose["dynamics"].labels_to_flows(labels, device=model.device)
    prepared = time.perf_counter() - started
    per_batch = _time_batches(cellpose, task, settings, images, flows)
    batches = max(1, int(60 * task["minutes"] * task["threads"] / per_batch))
    epochs = min(EPOCHS, batches)
    per_epoch = BATCH * (batches // epochs)
    training, cpu = time.perf_counter(), time.process_time()
    path = _train(cellpose, model, settings, images, flows, Path(task["folder"]), epochs, per_epoch)
    trained, cpu = time.perf_counter(), time.process_time() - cpu
    size = cellpose["models"].SizeModel(cp_model=model)
    size.params = cellpose["train"].train_size(
        model.net, str(path), train_data=images, train_labels=flows, channels=CHANNELS, channel_axis=-1,
        min_train_masks=1, nimg_per_epoch=min(len(images), settings["size_images"]), batch_size=BATCH, n_epochs=1,
    )  # fmt: skip
    note |= {
        "settings": settings, "batch_size": BATCH, "epochs": epochs, "images_per_epoch": per_epoch,
        "crops": epochs * per_epoch, "training_images": len(images), "minutes": task["minutes"],
        "seconds_preparing": round(prepared, 1), "seconds_training": round(trained - training, 1),
        "cpu_seconds_training": round(cpu, 1),
        "seconds_size_model": round(time.perf_counter() - trained, 1), "threads": task["threads"],
        "parameters": sum(parameter.numel() for parameter in model.net.parameters()),
    }  # fmt: skip
    model.diam_labels = float(model.net.diam_labels.item())

    def predict(image: Any) -> Any:
        diameter, _ = size.eval(image, channels=CHANNELS, channel_axis=-1)
        return model.eval(image, channels=CHANNELS, channel_axis=-1, diameter=float(diameter))[0]

    return predict


def _fresh(cellpose: dict[str, Any], task: dict[str, Any], settings: dict[str, Any]) -> Any:
    import torch

    torch.manual_seed(task["seed"])
    return cellpose["models"].CellposeModel(
        gpu=torch.cuda.is_available(), pretrained_model=False, diam_mean=settings["diam_mean"], nchan=2
    )


def _time_batches(
    cellpose: dict[str, Any],
    task: dict[str, Any],
    settings: dict[str, Any],
    images: list[Any],
    flows: list[Any],
) -> float:
    """CPU seconds of a batch, on a network that is then thrown away; the first, which warms up, is not counted."""
    few = slice(0, min(len(images), 2 * BATCH))
    folder = Path(task["folder"])
    seconds = []
    for batches in (1, 1 + PROBE_BATCHES):
        probe = _fresh(cellpose, task, settings)
        started = time.process_time()
        _train(cellpose, probe, settings, images[few], flows[few], folder, 1, BATCH * batches)
        seconds.append(time.process_time() - started)
    return max(1e-3, (seconds[1] - seconds[0]) / PROBE_BATCHES)


def _train(
    cellpose: dict[str, Any], model: Any, settings: dict[str, Any], images: list[Any], flows: list[Any],
    folder: Path, epochs: int, per_epoch: int,
) -> Path:  # fmt: skip
    path: Path = cellpose["train"].train_seg(
        model.net, train_data=images, train_labels=flows, channels=CHANNELS, channel_axis=-1, batch_size=BATCH,
        SGD=settings["sgd"], learning_rate=settings["learning_rate"], momentum=settings["momentum"],
        weight_decay=settings["weight_decay"], n_epochs=epochs, nimg_per_epoch=per_epoch, min_train_masks=1,
        save_path=str(folder), model_name="cellpose_from_scratch",
    )[0]  # fmt: skip
    return path


def _published(model: Any) -> Any:
    """Published models estimate the size by themselves: diameter None."""
    return lambda image: model.eval(image, channels=CHANNELS, channel_axis=-1, diameter=None)[0]


def _image(path: str) -> Any:
    """(H, W, 3): what to segment, nuclei or nothing, nothing. Colour is averaged; (blank, nuclear, cell) is sorted."""
    import numpy as np

    array = _read(path).astype(np.float32)
    planes = np.zeros((*array.shape[:2], 3), dtype=np.float32)
    if array.ndim == 2:
        planes[..., 0] = array
    elif array[..., 0].any():
        planes[..., 0] = array[..., :3].mean(axis=2)
    else:
        planes[..., 0], planes[..., 1] = array[..., 2], array[..., 1]
    return planes


def _labels(path: str) -> Any:
    import numpy as np

    return _read(path).astype(np.int32)


def _read(path: str) -> Any:
    import tifffile

    if path.lower().endswith((".tif", ".tiff")):
        return tifffile.imread(path)
    cv2 = importlib.import_module("cv2")  # what the package itself reads images with
    array = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    return array[..., [2, 1, 0]] if array.ndim == 3 else array


def _write(labels: Any, path: Path) -> None:
    import numpy as np
    import tifffile

    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.asarray(labels).astype(np.int32), compression="zlib")


def _version(package: str) -> str:
    from importlib.metadata import version

    return f"{package} {version(package)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
