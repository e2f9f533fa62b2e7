"""Trouble on request: refusals that the gateway is told to answer with, and bodies for faults before it.

Faults of the way to the gateway (HTML of the CDN, cut bodies, 5xx) are `tests.sandbox.faults.Fault`s. Both are matched
against the same line, `POST /na12/ia/xml/xmlgw.phtml?function=query&object=APBILL&offset=0`.
"""

from __future__ import annotations

import dataclasses
import re
import threading

from tests.sandbox.faults import Fault
from tests.sandbox.sage_intacct import errors


@dataclasses.dataclass
class Trouble:
    """What to answer the next `times` calls with that match `pattern`, after letting `skip` of them pass.

    Attributes:
        refusal: The refusal; its place decides which level of the envelope fails.
        with_data: A failed result holds its data all the same.
        bare: A failed result says nothing at all.
    """

    pattern: str
    refusal: errors.Refusal
    times: int = 1
    skip: int = 0
    with_data: bool = False
    bare: bool = False


class Troubles:
    """The troubles still to come."""

    def __init__(self) -> None:
        self._queue: list[Trouble] = []
        self._lock = threading.Lock()

    def add(self, trouble: Trouble) -> None:
        """Queue a trouble behind those already queued."""
        with self._lock:
            self._queue.append(trouble)

    def take(self, line: str) -> Trouble | None:
        """The trouble that a call meets, if any."""
        with self._lock:
            for trouble in self._queue:
                if not re.search(trouble.pattern, line):
                    continue
                if trouble.skip > 0:
                    trouble.skip -= 1
                    continue
                trouble.times -= 1
                if trouble.times <= 0:
                    self._queue.remove(trouble)
                return trouble
        return None


def two_errors() -> errors.Refusal:
    """Two errors in one errormessage; the first is of no help."""
    return errors.Refusal(
        "result",
        [
            errors.Error(
                errorno="BL03000018", description2=errors.with_support_id("Could not read the records.")
            ),
            errors.Error(
                errorno="PL04000005",
                description2=errors.with_support_id(
                    "You do not have permission for API operation on this object"
                ),
            ),
        ],
    )


def gateway_error(status: int = 503) -> errors.Refusal:
    """The gateway itself is out of order: GW-0001."""
    error = errors.Error(errorno="GW-0001", description="The server encountered an error.")
    return errors.Refusal("control", [error], status=status)


def html(pattern: str, status: int, *, times: int = 1, skip: int = 0) -> Fault:
    """A page of some proxy on the way: 502, 503, 504, or the CDN's 524."""
    body = f"<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Fault(pattern, status=status, body=body.encode(), times=times, skip=skip)


def cdn_block(pattern: str, *, status: int = 403, times: int = 1, skip: int = 0) -> Fault:
    """The page with which the CDN turns a caller away."""
    body = b'<!DOCTYPE html><html><body><div id="cf-error-details">Access denied | rate limited</div></body></html>'
    return Fault(pattern, status=status, body=body, times=times, skip=skip)


def truncated(pattern: str, *, times: int = 1, skip: int = 0) -> Fault:
    """An answer with status 200 that ends in the middle of its XML."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<response><control><status>success</status>'
    return Fault(pattern, status=200, body=body, headers={"content-type": "text/xml"}, times=times, skip=skip)
