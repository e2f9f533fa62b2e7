"""The SDK's own suite for taps. It asks for streams while tests are collected, so its site starts with the module."""

from __future__ import annotations

import atexit
import contextlib
import tempfile

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_acumatica.tap import TapAcumatica
from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.acumatica.app import create_app
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.serving import serve

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = _RESOURCES.enter_context(tempfile.TemporaryDirectory())
_URL = _RESOURCES.enter_context(serve(create_app(World(generate(seed=7, bills=60)))))

TestTapAcumatica = get_tap_test_class(
    TapAcumatica,
    config={
        "base_url": f"{_URL}/{INSTANCE}",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "username": USER_NAME,
        "password": PASSWORD,
        "token_store_path": _FOLDER,
    },
    suite_config=SuiteConfig(max_records_limit=150, ignore_no_records_for_streams=["customer_attributes"]),
    parse_env_config=False,
)
