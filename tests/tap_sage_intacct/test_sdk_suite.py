"""The SDK's own suite for taps; it asks for streams while tests are collected, so its gateway starts at once."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from pathlib import Path

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_sage_intacct.tap import TapSageIntacct
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.sage_intacct.app import create_app
from tests.sandbox.serving import serve
from tests.tap_sage_intacct.conftest import config_of

# what is empty in every record of the sandbox cannot be tested, which the suite warns of
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = _RESOURCES.enter_context(tempfile.TemporaryDirectory())
_URL = _RESOURCES.enter_context(serve(create_app(World(generate(seed=7, bills=30)))))

TestTapSageIntacct = get_tap_test_class(
    TapSageIntacct,
    config=config_of(_URL, Path(_FOLDER)),
    suite_config=SuiteConfig(max_records_limit=150, ignore_no_records_for_streams=["deleted_records"]),
    parse_env_config=False,
)
