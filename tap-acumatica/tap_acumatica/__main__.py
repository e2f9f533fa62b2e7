"""The `tap-acumatica` command, also as `python -m tap_acumatica`."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the start and all of the end

from tap_acumatica.tap import TapAcumatica  # noqa: E402

gc.freeze()
gc.enable()

main = TapAcumatica.cli

if __name__ == "__main__":
    main()
