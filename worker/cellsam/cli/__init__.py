"""The command line: one module a command, each with `add(commands)`. Errors are one line, with exit code 2."""
