"""Start a Python part early: import at once what it needs, run it when the supervisor says so.

`python -m services.cli.launch MODULE` reads one line from its input before it runs MODULE as `python -m`
would. Importing takes most of a part's start, and it goes on while PostgreSQL and Temporal come up.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import sys


def main() -> None:
    """Import, wait, run."""
    module = sys.argv[1]
    entry = f"{module}.__main__"
    gc.disable()  # nothing of what is imported ever becomes garbage, so do not look for any
    importlib.import_module(entry)  # under this name its `if __name__ == "__main__"` does not run
    gc.freeze()
    gc.enable()
    del sys.modules[entry]
    if not sys.stdin.buffer.readline():
        sys.exit(0)  # the supervisor is gone, or has changed its mind
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
