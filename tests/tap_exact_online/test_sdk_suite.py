"""The SDK's own suite for taps. It asks for streams while tests are collected, so its site starts with the module."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from pathlib import Path

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_exact_online.tap import TapExactOnline
from tests.sandbox.exact_online.switches import Switches
from tests.tap_exact_online.conftest import sites

# A small company does not fill every column.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available")

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = Path(_RESOURCES.enter_context(tempfile.TemporaryDirectory()))
_MAKE = _RESOURCES.enter_context(sites(_FOLDER))
_INSTANCE = _MAKE(bills=40, switches=Switches(clock="real", minute_limit=100_000, day_limit=100_000))

TestTapExactOnline = get_tap_test_class(
    TapExactOnline,
    config=_INSTANCE.config,
    suite_config=SuiteConfig(max_records_limit=150, ignore_no_records_for_streams=["assets", "deleted"]),
    parse_env_config=False,
)
