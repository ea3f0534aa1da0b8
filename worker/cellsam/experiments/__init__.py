"""The paper's experiments, to be run on anyone's data: each is a function that measures, and a command that reports."""
