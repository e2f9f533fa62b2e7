"""The SDK's own suite for taps. It asks for streams while tests are collected, so its site starts with the module."""

from __future__ import annotations

import atexit
import contextlib
import tempfile

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_syspro.tap import TapSyspro
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.serving import serve
from tests.sandbox.syspro import COMPANIES, ODATA_PASSWORD, ODATA_USER_NAME
from tests.sandbox.syspro.app import create_app

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = _RESOURCES.enter_context(tempfile.TemporaryDirectory())
_URL = _RESOURCES.enter_context(serve(create_app(World(generate(seed=7, bills=30)))))

TestTapSyspro = get_tap_test_class(
    TapSyspro,
    config={
        "base_url": _URL,
        "companies": list(COMPANIES),
        "odata_username": ODATA_USER_NAME,
        "odata_password": ODATA_PASSWORD,
        "gl_segments": [{"name": "cost_center", "separator": "-", "index": 1}],
        "store_path": _FOLDER,
    },
    suite_config=SuiteConfig(
        max_records_limit=150,
        # what was cancelled, and a log that is switched off
        ignore_no_records_for_streams=["sor_cancelled", "sor_changes"],
    ),
    parse_env_config=False,
)
