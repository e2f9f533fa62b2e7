"""The SDK's own suite for taps. It asks for streams while tests are collected, so its site starts with the module."""

from __future__ import annotations

import atexit
import contextlib
import tempfile

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_epicor_kinetic.tap import TapEpicorKinetic
from tests.sandbox.company.generate import generate
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import API_KEY, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.epicor_kinetic.app import create_app
from tests.sandbox.serving import serve

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = _RESOURCES.enter_context(tempfile.TemporaryDirectory())
_URL = _RESOURCES.enter_context(serve(create_app(World(generate(seed=7, bills=60)))))

TestTapEpicorKinetic = get_tap_test_class(
    TapEpicorKinetic,
    config={
        "base_url": f"{_URL}/{INSTANCE}",
        "companies": ["EPIC06"],
        "api_key": API_KEY,
        "username": USER_NAME,
        "password": PASSWORD,
        "cache_path": _FOLDER,
        "baqs": [{"id": "OpenPayables", "key_properties": ["APInvHed_VendorNum", "APInvHed_InvoiceNum"]}],
    },
    suite_config=SuiteConfig(max_records_limit=100),
    parse_env_config=False,
)
