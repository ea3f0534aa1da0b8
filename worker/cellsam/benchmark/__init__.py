"""How fast the model is, stage by stage, against a plain port of the released procedure in the same run.

`python -m worker.cellsam benchmark` is its command line; docs/benchmarks.md quotes it.
"""


class BenchmarkError(ValueError):
    """This model, image and number of boxes cannot be measured together; the message says why."""
