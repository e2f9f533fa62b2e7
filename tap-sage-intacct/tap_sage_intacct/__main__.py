"""Runs the tap with `python -m tap_sage_intacct`."""

from __future__ import annotations

from tap_sage_intacct.tap import TapSageIntacct

if __name__ == "__main__":
    TapSageIntacct.cli()
