"""What Tableau says in the body of an event, and what is no event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from target_tableau.webhooks.events import BadEventError, read_event

LUID = "11111111-2222-3333-4444-555555555555"


def body(event: str = "WorkbookRefreshFailed", luid: str = LUID, site: str = LUID, **more: Any) -> bytes:
    told = {
        "resource": "EXTRACTS",
        "event_type": event,
        "resource_name": "Spend",
        "site_luid": site,
        "resource_luid": luid,
        "created_at": "2026-01-01T00:00:00.000Z",
        **more,
    }
    return json.dumps(told).encode()


@pytest.mark.parametrize("nothing", [b"", b"  \n", b"{}"])
def test_the_call_that_tests_an_address_is_no_event(nothing: bytes) -> None:
    assert read_event(nothing) is None


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b'{"event_type": "WorkbookRefreshFailed"}',
        body(luid="../../auth/signout"),
        body(site="x"),
        body(resource_name=None),
    ],
)
def test_what_is_no_event_is_refused(bad: bytes) -> None:
    with pytest.raises(BadEventError):
        read_event(bad)
