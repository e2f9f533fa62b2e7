"""Runs the tap with `python -m tap_exact_online`."""

from __future__ import annotations

from tap_exact_online.tap import TapExactOnline

if __name__ == "__main__":
    TapExactOnline.cli()
