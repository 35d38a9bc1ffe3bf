#!/usr/bin/env python
"""Run a management command."""

import sys

from mymoolah.launch import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
