"""Tableau's way of saying no: a six-digit code whose first three digits are the HTTP status."""

from __future__ import annotations


class TableauError(Exception):
    """An answer of the `<error>` kind.

    Attributes:
        code: Six digits, as Tableau's REST API reference lists them per method.
        summary: The short text that goes with the code.
        detail: The sentence a user would read.
        status: HTTP status, where it is not the first three digits of `code`.
        headers: Extra response headers (Retry-After).
    """

    def __init__(
        self,
        code: str,
        summary: str,
        detail: str,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {summary}: {detail}")
        self.code = code
        self.summary = summary
        self.detail = detail
        self.status = status or int(code[:3])
        self.headers = headers or {}


def bad_request(detail: str, code: str = "400000") -> TableauError:
    """The request is malformed, incomplete or holds a value that cannot be."""
    return TableauError(code, "Bad Request", detail)


def forbidden(detail: str, code: str = "403004") -> TableauError:
    """The signed-in user may not do this."""
    return TableauError(code, "Forbidden", detail)


def not_found(detail: str, code: str) -> TableauError:
    """The thing that the URI or the body names does not exist."""
    return TableauError(code, "Resource Not Found", detail)


def conflict(detail: str, code: str, status: int | None = None) -> TableauError:
    """The request does not fit the state of the thing it is about."""
    return TableauError(code, "Resource Conflict", detail, status=status)


def publish_failed(name: str, native: str) -> TableauError:
    """400011, the catch-all of publishing; the parenthesis carries what the engine said."""
    return TableauError(
        "400011", "Bad Request", f"There was a problem publishing the file '{name}'. ({native})"
    )
