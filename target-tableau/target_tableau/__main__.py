"""The `target-tableau` command, also as `python -m target_tableau`."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the start and all of the end

from target_tableau.target import TargetTableau  # noqa: E402

gc.freeze()
gc.enable()

main = TargetTableau.cli

if __name__ == "__main__":
    main()
