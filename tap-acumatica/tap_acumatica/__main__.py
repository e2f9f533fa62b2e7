"""Runs the tap with `python -m tap_acumatica`."""

from __future__ import annotations

from tap_acumatica.tap import TapAcumatica

if __name__ == "__main__":
    TapAcumatica.cli()
