"""Become another program that is told to end when our parent does: `tether.py PARENT_PID PROGRAM ARGUMENT…`.

A script of its own rather than a `preexec_fn`, which is not safe where threads run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # killed before we were tethered
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - replaces this process by a fixed list of arguments


if __name__ == "__main__":
    main()
