"""Becomes another program, after arranging that it dies with the process that asked for it.

Run by path with the standard library alone:
`python -I -S exec_child.py SIGNAL NICENESS UID PARENT PROGRAM [ARGUMENT...]`.
A file of its own rather than `Popen(preexec_fn=...)`, which may deadlock in a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Drop privileges, ask the kernel for SIGNAL when the parent dies, then exec PROGRAM."""
    death_signal, niceness, uid, parent = (int(word) for word in sys.argv[1:5])
    if uid >= 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    if sys.platform == "linux":  # after setuid, which would clear it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    if niceness:
        os.nice(niceness)
    os.execvp(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
