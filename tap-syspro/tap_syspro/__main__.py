"""`python -m tap_syspro`."""

from __future__ import annotations

from tap_syspro.tap import TapSyspro

if __name__ == "__main__":
    TapSyspro.cli()
