"""StarDist by its own package: trained from scratch for some minutes, or with its published weights.

A script for a Python environment that has StarDist and TensorFlow (`pip install 'stardist==0.9.2' tensorflow`); started
by `peers.run_peer` with the path of a task file. It imports nothing of CellLoop. Network, loss, learning-rate
reduction and non-maximum suppression are the package's, and so is the choice of its two thresholds, made on the
validation images. Minutes are CPU time divided by the threads, which on free cores is about the clock's.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

MISSING_PACKAGE = 3
STEPS = 20  # of an "epoch": the clock is looked at after each
RAYS = 32
PATCH = 128  # most images here are no larger than 256
BATCH = 4
VALIDATION_IMAGES = 12  # for the thresholds: slow as long as the network proposes far too much


def main(task_path: str) -> int:
    """Train or load, predict, write the label maps and the note."""
    try:
        models = importlib.import_module("stardist.models")
        tensorflow = importlib.import_module("tensorflow")
    except ModuleNotFoundError:
        return MISSING_PACKAGE
    import numpy as np

    task = json.loads(Path(task_path).read_text(encoding="utf-8"))
    tensorflow.config.threading.set_intra_op_parallelism_threads(task["threads"])
    tensorflow.keras.utils.set_random_seed(task["seed"])
    note: dict[str, Any] = {
        "package": _version("stardist"),
        "tensorflow": tensorflow.__version__,
        "seed": task["seed"],
    }
    if task["published"]:
        model = models.StarDist2D.from_pretrained(task["published"])
        note["weights"] = task["published"]
    else:
        model = _trained(models, tensorflow, task, note)
    started = time.perf_counter()
    for job in task["predict"]:
        labels = model.predict_instances(_image(job["image"]))[0]
        _write(np.asarray(labels), Path(job["out"]))
    note["seconds_predicting"] = round(time.perf_counter() - started, 1)
    note["images_predicted"] = len(task["predict"])
    Path(task["note"]).write_text(json.dumps(note, indent=2), encoding="utf-8")
    return 0


def _trained(models: Any, tensorflow: Any, task: dict[str, Any], note: dict[str, Any]) -> Any:
    started = time.perf_counter()
    images = [_image(pair["image"]) for pair in task["train"]]
    labels = [_labels(pair["labels"]) for pair in task["train"]]
    step = max(1, len(task["validation"]) // VALIDATION_IMAGES)
    held = task["validation"][::step] or task["train"][:1]
    validation = ([_image(pair["image"]) for pair in held], [_labels(pair["labels"]) for pair in held])
    config = models.Config2D(
        n_rays=RAYS, grid=(2, 2), n_channel_in=1, train_patch_size=(PATCH, PATCH), train_batch_size=BATCH,
        train_tensorboard=False, train_reduce_lr={"factor": 0.5, "patience": 20, "min_delta": 0},
        **task["settings"],
    )  # fmt: skip
    model = models.StarDist2D(config, name="stardist_from_scratch", basedir=task["folder"])
    model.prepare_for_training()
    training, cpu = time.perf_counter(), time.process_time()
    clock = _clock(tensorflow, cpu + 60 * task["minutes"] * task["threads"])
    model.callbacks.append(clock)
    model.train(images, labels, validation_data=validation, augmenter=_augmented, epochs=100_000,
                steps_per_epoch=STEPS, seed=task["seed"])  # fmt: skip
    trained, cpu = time.perf_counter(), time.process_time() - cpu
    thresholds = model.optimize_thresholds(*validation)
    note |= {
        "settings": {"rays": RAYS, "patch": PATCH, **task["settings"]}, "batch_size": BATCH, "minutes": task["minutes"],
        "crops": clock.epochs * STEPS * BATCH, "training_images": len(images), "validation_images": len(held),
        "seconds_preparing": round(training - started, 1), "seconds_training": round(trained - training, 1),
        "cpu_seconds_training": round(cpu, 1),
        "thresholds": {name: float(value) for name, value in thresholds._asdict().items()},
        "threads": task["threads"],
    }  # fmt: skip
    return model


def _clock(tensorflow: Any, deadline: float) -> Any:
    """Ends the training at the deadline (CPU time), between two epochs."""

    class Clock(tensorflow.keras.callbacks.Callback):  # type: ignore[misc]
        epochs = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs = epoch + 1
            if time.process_time() > deadline:
                self.model.stop_training = True

    return Clock()


def _augmented(image: Any, labels: Any) -> tuple[Any, Any]:
    """The package leaves augmentation to its user and shows this one: turns, flips, another brightness."""
    import numpy as np

    turns = np.random.randint(4)
    image, labels = np.rot90(image, turns), np.rot90(labels, turns)
    if np.random.randint(2):
        image, labels = np.fliplr(image), np.fliplr(labels)
    return image * np.random.uniform(0.6, 2) + np.random.uniform(-0.2, 0.2), labels


def _image(path: str) -> Any:
    """(H, W) in about [0, 1] by percentiles 1 and 99.8, as the package's examples do. Colour is averaged."""
    import numpy as np

    array = _read(path).astype(np.float32)
    if array.ndim == 3:
        used = [channel for channel in range(array.shape[2]) if array[..., channel].any()]
        array = array[..., used or [0]].mean(axis=2)
    low, high = np.percentile(array, [1, 99.8])
    return (array - low) / max(high - low, 1e-6)


def _labels(path: str) -> Any:
    import numpy as np

    return _read(path).astype(np.int32)


def _read(path: str) -> Any:
    import numpy as np
    import tifffile
    from PIL import Image

    if path.lower().endswith((".tif", ".tiff")):
        return tifffile.imread(path)
    with Image.open(path) as image:
        return np.asarray(image)


def _write(labels: Any, path: Path) -> None:
    import numpy as np
    import tifffile

    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, labels.astype(np.int32), compression="zlib")


def _version(package: str) -> str:
    from importlib.metadata import version

    return f"{package} {version(package)}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
