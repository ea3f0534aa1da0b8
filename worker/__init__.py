"""Everything that runs the model: the engine and its caches, CellSAM itself, and the tasks of the queues."""

import os

# Before anything loads PyTorch. OpenMP's threads spin while they wait for each other; on cores that other processes
# use as well, a box then takes ten times as long (measured: 292 ms against 32 ms at load 7 on two cores).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
