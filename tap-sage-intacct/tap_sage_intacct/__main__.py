"""The `tap-sage-intacct` command, also as `python -m tap_sage_intacct`."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the start and all of the end

from tap_sage_intacct.memory import give_back_large_blocks  # noqa: E402
from tap_sage_intacct.tap import TapSageIntacct  # noqa: E402

gc.freeze()
gc.set_threshold(
    50_000
)  # instead of 700: rows form no cycles, so to look for some among them is nearly always vain
gc.enable()
give_back_large_blocks()

main = TapSageIntacct.cli

if __name__ == "__main__":
    main()
