"""A corner of the Metadata API: what depends on a published data source.

GraphQL enough to read a selection of fields with a filter; unknown fields are refused as a real server does,
with `errors` in an answer of status 200.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse

from tests.sandbox.tableau.errors import TableauError
from tests.sandbox.tableau.wire import error_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.tableau.model import Datasource, Workbook
    from tests.sandbox.tableau.service import Service
    from tests.sandbox.tableau.state import State

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\$?[A-Za-z_]\w*|-?\d+|[{}()\[\]:!=@]|\.\.\.')


class GraphQLError(Exception):
    """A query that cannot be answered."""


class Selection:
    """One field: its name, its arguments and the fields wanted of it."""

    def __init__(self, name: str, alias: str) -> None:
        self.name = name
        self.alias = alias
        self.arguments: dict[str, Any] = {}
        self.fields: list[Selection] = []


class _Reader:
    """Reads one query operation, token by token."""

    def __init__(self, text: str, variables: dict[str, Any]) -> None:
        self._tokens = _TOKEN.findall(re.sub(r"#[^\n]*", "", text))
        self._variables = variables

    def operation(self) -> list[Selection]:
        """The top-level fields."""
        while self._tokens and self._tokens[0] != "{":
            self._tokens.pop(0)
        return self._selections()

    def _next(self, wanted: str | None = None) -> str:
        token: str = self._tokens.pop(0) if self._tokens else ""
        if not token or (wanted is not None and token != wanted):
            raise GraphQLError(f"Invalid Syntax: offending token '{token or '<EOF>'}'")
        return token

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _selections(self) -> list[Selection]:
        self._next("{")
        fields = []
        while self._peek() != "}":
            fields.append(self._field())
        self._next("}")
        return fields

    def _field(self) -> Selection:
        alias = name = self._next()
        if self._peek() == ":":
            self._next()
            name = self._next()
        selection = Selection(name, alias)
        if self._peek() == "(":
            self._next()
            selection.arguments = self._pairs(")")
        if self._peek() == "{":
            selection.fields = self._selections()
        return selection

    def _pairs(self, end: str) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while self._peek() != end:
            name = self._next()
            self._next(":")
            pairs[name] = self._value()
        self._next(end)
        return pairs

    def _value(self) -> object:
        token = self._next()
        if token == "{":
            return self._pairs("}")
        if token == "[":
            values = []
            while self._peek() != "]":
                values.append(self._value())
            self._next("]")
            return values
        if token.startswith("$"):
            return self._variables.get(token[1:])
        return json.loads(token) if token.startswith('"') or token.lstrip("-").isdigit() else token


def endpoint(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """POST /api/metadata/graphql."""

    async def answer(request: Request) -> Response:
        if not service.switches.metadata_enabled:
            return PlainTextResponse("The Metadata API is not enabled.", 404)
        try:
            service.sessions.require(request.headers.get("x-tableau-auth"))
        except TableauError as error:
            return error_answer(error)
        try:
            return JSONResponse({"data": _run(service.state, await request.body())})
        except GraphQLError as wrong:
            return JSONResponse({"data": None, "errors": [{"message": str(wrong)}]})

    return answer


def _run(state: State, body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as malformed:
        raise GraphQLError("The body is no JSON") from malformed
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
        raise GraphQLError("The body has no query")
    answered = {}
    for selection in _Reader(asked["query"], asked.get("variables") or {}).operation():
        if selection.name != "publishedDatasources":
            raise GraphQLError(f"Validation error: Field '{selection.name}' in type 'Query' is undefined")
        found = _filtered(state, selection.arguments.get("filter") or {})
        answered[selection.alias] = [_datasource(state, held, selection.fields) for held in found]
    return answered


def _filtered(state: State, wanted: dict[str, Any]) -> list[Datasource]:
    unknown = set(wanted) - {"luid", "luidWithin", "name"}
    if unknown:
        raise GraphQLError(f"Validation error: unknown filter field '{min(unknown)}'")
    held = list(state.index.datasources.values())
    if "luid" in wanted:
        held = [d for d in held if d.id == wanted["luid"]]
    if "luidWithin" in wanted:
        held = [d for d in held if d.id in (wanted["luidWithin"] or [])]
    return [d for d in held if "name" not in wanted or d.name == wanted["name"]]


def _datasource(state: State, held: Datasource, fields: list[Selection]) -> dict[str, Any]:
    books = [book for book in state.index.workbooks.values() if held.id in book.upstream]
    known: dict[str, Callable[[Selection], object]] = {
        "id": lambda _: held.id.replace("-", ""),
        "luid": lambda _: held.id,
        "name": lambda _: held.name,
        "projectName": lambda _: state.index.projects[held.project].name,
        "hasExtracts": lambda _: not held.live,
        "downstreamWorkbooks": lambda wanted: [_workbook(state, book, wanted.fields) for book in books],
    }
    return _picked("PublishedDatasource", known, fields)


def _workbook(state: State, book: Workbook, fields: list[Selection]) -> dict[str, Any]:
    known: dict[str, Callable[[Selection], object]] = {
        "id": lambda _: book.id.replace("-", ""),
        "luid": lambda _: book.id,
        "name": lambda _: book.name,
        "projectName": lambda _: state.index.projects[book.project].name,
        "embeddedDatasources": lambda wanted: [
            _embedded(book, source, wanted.fields) for source in book.upstream
        ],
    }
    return _picked("Workbook", known, fields)


def _embedded(book: Workbook, source: str, fields: list[Selection]) -> dict[str, Any]:
    known: dict[str, Callable[[Selection], object]] = {
        "id": lambda _: source.replace("-", ""),
        "hasExtracts": lambda _: source in book.extracts,
    }
    return _picked("EmbeddedDatasource", known, fields)


def _picked(
    kind: str, known: dict[str, Callable[[Selection], object]], fields: list[Selection]
) -> dict[str, Any]:
    if not fields:
        raise GraphQLError(f"Validation error: Subselection required for type '{kind}'")
    unknown = [field.name for field in fields if field.name not in known]
    if unknown:
        raise GraphQLError(f"Validation error: Field '{unknown[0]}' in type '{kind}' is undefined")
    return {field.alias: known[field.name](field) for field in fields}
