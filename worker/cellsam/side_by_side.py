"""Many small pieces of work on a CPU: each on one of its cores, instead of one after the other on all of them.

A batch of prompts is made of small products, with NumPy, SciPy and Python between them. Spread over several cores, a
small product gains little and waits for the slowest core every time, and what lies between uses one; whole batches
need nothing of each other (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", Sequence[int], NDArray[np.int64])

MOST = 8  # under way at a time, on however many cores: a batch of prompts takes up to 100 MB


def batches_of(items: S, size: int) -> list[S]:
    """In order, all of `size` but the last."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def side_by_side(act: Callable[[T], R], items: Sequence[T], device: torch.device) -> list[R]:
    """`act` of each item, without gradients, in the items' order. `act` must not mind who else runs at the time.

    On a CPU as many are under way as torch gives threads to the caller, but at most `MOST`, each with one of them: no
    more cores are taken than by one piece after the other. With one thread, one item, or on another device it is a
    plain loop. Raises what the first item to fail raises; those not begun by then are left.
    """
    threads = torch.get_num_threads()
    at_once = min(threads, len(items), MOST) if device.type == "cpu" else 1
    if at_once < 2:
        with torch.no_grad():
            return [act(item) for item in items]
    with ThreadPoolExecutor(at_once, initializer=_begin_with_one_thread, initargs=(threads,)) as pool:
        return list(pool.map(act, items))


def _begin_with_one_thread(of_others: int) -> None:
    """Numbers of threads and gradients are each thread's own. But torch also notes the number that was set last, and
    gives it to every thread when that first needs one: so this one asks before, and one that does nothing else sets it
    back.
    """
    torch.set_grad_enabled(False)
    torch.get_num_threads()
    torch.set_num_threads(1)
    restoring = Thread(target=torch.set_num_threads, args=(of_others,))
    restoring.start()
    restoring.join()
