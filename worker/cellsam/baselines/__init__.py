"""Other ways to find cells, to compare the model with: never part of the model's own path.

`otsu` runs here. `cellpose_peer` and `stardist_peer` are scripts that run in an environment of their own, started by
`peers`: those packages are no dependencies of this one. All write label maps that `evaluate` then measures.
"""
