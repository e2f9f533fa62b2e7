"""What holds for every test; that only loopback can be reached is set in pyproject.toml."""

from __future__ import annotations

import os

# Meltano and the plugins must not find the settings of whoever runs the tests.
for _name in [name for name in os.environ if name.startswith(("MELTANO_", "TAP_", "TARGET_", "SINGER_"))]:
    del os.environ[_name]

# Commands that tests start keep what they compile: to compile every module anew takes half of the start of each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
