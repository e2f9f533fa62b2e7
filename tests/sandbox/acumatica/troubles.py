"""Faults for `Script.add` in the site's own words; what only the application knows is in `Switches`."""

from __future__ import annotations

from tests.sandbox.acumatica import INSTANCE, errors
from tests.sandbox.faults import Fault

_PAGE = b"<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
_HTML = {"content-type": "text/html; charset=utf-8"}


def fault_of(refusal: errors.Refusal, pattern: str, *, times: int = 1, skip: int = 0) -> Fault:
    """Answer calls that match `pattern` with a refusal instead of asking the application."""
    headers = refusal.headers | ({"content-type": refusal.content_type} if refusal.content_type else {})
    return Fault(pattern, status=refusal.status, body=refusal.body, headers=headers, times=times, skip=skip)


def html_instead(pattern: str, *, times: int = 1, skip: int = 0) -> Fault:
    """A sign-in or maintenance page with status 200 where JSON was asked for."""
    page = _PAGE % (b"Acumatica ERP", b"The site is being updated. Please try again later.")
    return Fault(pattern, status=200, body=page, headers=dict(_HTML), times=times, skip=skip)


def redirected(pattern: str, *, times: int = 1, skip: int = 0) -> Fault:
    """302 to an HTML error page."""
    headers = {**_HTML, "location": f"/{INSTANCE}/Frames/Error.aspx"}
    page = _PAGE % (b"Object moved", b"Object moved")
    return Fault(pattern, status=302, body=page, headers=headers, times=times, skip=skip)


def declined(pattern: str, *, times: int = 1, skip: int = 0, retry_after: int | None = None) -> Fault:
    """429: the queue is full. A `Retry-After` header is not documented, but it may be there."""
    fault = fault_of(errors.declined(), pattern, times=times, skip=skip)
    if retry_after is not None:
        fault.headers["retry-after"] = str(retry_after)
    return fault


def killed(pattern: str, *, times: int = 1, skip: int = 0) -> Fault:
    """500: the resource governor ended a request that took too much."""
    refusal = errors.failure("The request was cancelled by the resource governor.", "PX.Common.PXException")
    return fault_of(refusal, pattern, times=times, skip=skip)
