"""The `tap-epicor-kinetic` command, also as `python -m tap_epicor_kinetic`."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: to look for garbage among it takes a fifth of the start and all of the end

from tap_epicor_kinetic.tap import TapEpicorKinetic  # noqa: E402

gc.freeze()
gc.set_threshold(
    50_000
)  # instead of 700: rows form no cycles, so to look for some among them is nearly always vain
gc.enable()

main = TapEpicorKinetic.cli

if __name__ == "__main__":
    main()
