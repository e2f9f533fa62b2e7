"""The `tap-syspro` command, also as `python -m tap_syspro`."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the start and all of the end

from tap_syspro.tap import TapSyspro  # noqa: E402

gc.freeze()
gc.enable()

main = TapSyspro.cli

if __name__ == "__main__":
    main()
