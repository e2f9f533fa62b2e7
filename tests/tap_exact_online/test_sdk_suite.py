"""The SDK's own suite for taps. It asks for streams while tests are collected, so its site starts with the module."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from functools import cached_property
from pathlib import Path
from unittest import mock

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from typing_extensions import override

from tap_exact_online.auth import Tokens
from tap_exact_online.client import Client
from tap_exact_online.tap import TapExactOnline
from tests.tap_exact_online.conftest import sites
from tests.tap_exact_online.harness import SiteClock

# A small company does not fill every column.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available")

_RESOURCES = contextlib.ExitStack()
atexit.register(_RESOURCES.close)
_FOLDER = Path(_RESOURCES.enter_context(tempfile.TemporaryDirectory()))
_MAKE = _RESOURCES.enter_context(sites(_FOLDER))
_INSTANCE = _MAKE(bills=40)


class PatientTap(TapExactOnline):
    """Waits by the site's clock, which takes no time: the suite makes more calls than a minute allows."""

    @cached_property
    @override
    def client(self) -> Client:
        clock = SiteClock(_INSTANCE.app)
        with mock.patch.object(Client, "clock", clock):
            client = Client(self.store, self.config)
        client.clock = clock
        client.tokens = Tokens(self.store, self.config, clock)
        return client


TestTapExactOnline = get_tap_test_class(
    PatientTap,
    config=_INSTANCE.config,
    suite_config=SuiteConfig(max_records_limit=150, ignore_no_records_for_streams=["assets", "deleted"]),
    parse_env_config=False,
)
