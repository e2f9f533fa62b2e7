"""The contract-based REST API: lists, records by key, inquiries, and the schema of custom fields."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import DEFAULT_BRANCH, errors
from tests.sandbox.acumatica.calls import Call
from tests.sandbox.acumatica.exchange import json_answer
from tests.sandbox.acumatica.predicates import fields_of, window
from tests.sandbox.acumatica.printing import Json, Plan, Style, custom_value
from tests.sandbox.acumatica.shapes import Question
from tests.sandbox.acumatica.wanted import Wanted, wanted_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from tests.sandbox.acumatica.endpoints import Endpoint
    from tests.sandbox.acumatica.exchange import Exchange
    from tests.sandbox.acumatica.gate import Gate
    from tests.sandbox.acumatica.grammar import Expression
    from tests.sandbox.acumatica.seats import Session
    from tests.sandbox.acumatica.shapes import Entity, Inquiry, Shape
    from tests.sandbox.acumatica.shelves import Shelf, Shelves
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.acumatica.wire import Value

_CURSORS = frozenset({"LastModifiedDateTime", "LastModified"})


class ContractApi:
    """Answers calls below `/entity/{endpoint}/{version}/`. Callers hold the lock of the world."""

    def __init__(self, shelves: Shelves, gate: Gate, switches: Switches) -> None:
        self._shelves = shelves
        self._gate = gate
        self._switches = switches

    def answer(
        self, exchange: Exchange, session: Session, endpoint: Endpoint, name: str, rest: str
    ) -> Response:
        """Answer one call.

        Args:
            exchange: The request.
            session: Whose it is.
            endpoint: What it is addressed to.
            name: The entity.
            rest: What follows the entity in the path: keys, an id, `$adHocSchema`, or nothing.

        Raises:
            Refusal: Any answer that is no success.
        """
        target = endpoint.entities.get(name) or endpoint.inquiries.get(name)
        if target is None:
            raise errors.not_found(self._switches.unknown_version_body, f"Entity {name}")
        if target.screen in self._gate.forbidden_forms(session):
            raise errors.forbidden(target.title, target.screen)
        if name in self._switches.missing_setup:
            raise errors.setup_missing(target.title)
        style = Style(
            endpoint.based_on, endpoint.contract, session.locale, session.session_id, self._switches
        )
        if name in endpoint.inquiries:
            return self._ask(exchange, session, endpoint.inquiries[name], style)
        if exchange.method != "GET":
            raise errors.json_refusal(405, message="The sandbox company cannot be changed over this API.")
        call = Call(endpoint, endpoint.entities[name], style, exchange, self._shelves.view(session.tenant))
        shelf = self._shelves.shelf(
            session.tenant, f"entity {name}", call.entity.rows, call.entity.modified_at
        )
        if not rest:
            return json_answer(self._list(call, shelf))
        if rest == "$adHocSchema":
            return json_answer(_ad_hoc_schema(call.entity.shape, style))
        return json_answer(self._one(call, shelf, rest))

    def _list(self, call: Call, shelf: Shelf[Any]) -> list[Json]:
        options = call.exchange.options
        wanted = self._wanted(call, options)
        top, skip = _count(options, "$top"), _count(options, "$skip") or 0
        expression = call.filter(options.get("$filter", ""))
        self._refuse_unoptimised(call, wanted, expression)
        plan = Plan(call.entity.shape, wanted, call.style)
        rows = self._matching(call, shelf, expression, options.get("$filter", ""))
        page = rows[skip:] if top is None else rows[skip : skip + top]
        return [call.written(plan, row) for row in page]

    def _matching(self, call: Call, shelf: Shelf[Any], expression: Expression | None, text: str) -> list[Any]:
        keys = set(call.entity.keys)
        if (
            expression is not None
            and call.entity.name in self._switches.dead_filters
            and any(path.names[0] not in keys for path in fields_of(expression))
        ):
            return []
        shown = _all_of(
            call.entity, archived=call.exchange.headers.get("px-apiarchive", "").upper() == "SHOW"
        )
        if expression is None:
            return shelf.select(f"{shown.__name__}|", shown)
        matches = call.compiled(expression)
        name = f"{shown.__name__}|{call.style.version}|{call.style.locale}|{text}"
        return shelf.select(name, lambda row: shown(row) and matches(row), window(expression, _CURSORS))

    def _wanted(self, call: Call, options: dict[str, str]) -> Wanted:
        wanted = wanted_of(options, call.endpoint.contract)
        if wanted.select is None:
            return wanted
        if call.entity.name in self._switches.select_broken:
            raise errors.failure("Object reference not set to an instance of an object.")
        if call.entity.name in self._switches.select_ignored:
            return Wanted(wanted.expand, None, wanted.custom)
        return wanted

    def _refuse_unoptimised(self, call: Call, wanted: Wanted, expression: Expression | None) -> None:
        """A list is one query: what cannot be compiled into it makes it fail."""
        name = call.entity.name
        stubborn = self._switches.cannot_optimize.get(name, frozenset())
        touched = set(wanted.expand)
        touched |= (
            {field.name for field in call.entity.shape.fields}
            if wanted.select is None
            else set(wanted.select)
        )
        if expression is not None:
            touched |= {path.names[0] for path in fields_of(expression)}
        if wanted.custom:
            touched.add("$custom")
        for each in sorted(touched & stubborn):
            raise errors.cannot_optimize(name, each)

    def _one(self, call: Call, shelf: Shelf[Any], rest: str) -> Json:
        row = call.by_id(shelf, rest) if _is_guid(rest) else call.by_keys(shelf, rest)
        if row is None:
            raise errors.json_refusal(404, message="No entity satisfies the condition.")
        plan = Plan(call.entity.shape, self._wanted(call, call.exchange.options), call.style)
        return call.written(plan, row)

    def _ask(self, exchange: Exchange, session: Session, inquiry: Inquiry, style: Style) -> Response:
        if exchange.method != "PUT":
            raise errors.failure(
                f"The entity {inquiry.name} cannot be retrieved by this method.",
                "System.InvalidOperationException",
            )
        view = self._shelves.view(session.tenant)
        branch = exchange.headers.get("px-cbapibranch") or session.branch or DEFAULT_BRANCH
        question = Question(view, _unwrapped(exchange.json_object(), inquiry), branch)
        rows = inquiry.rows(question)
        wanted = wanted_of(exchange.options, style.contract)
        answer: Json = {"id": str(uuid.uuid4()), "rowNumber": 1, "note": style.note}
        for name in (*inquiry.parameters, *inquiry.flags):
            answer[name] = _echo(question, name, style)
        if question.errors:
            return json_answer(answer, 422)
        if "Results" in wanted.expand:
            plan = Plan(inquiry.results, wanted.below("Results"), style)
            answer["Results"] = [
                plan.write(row, view, str(uuid.uuid4()), place) for place, row in enumerate(rows, start=1)
            ]
        answer["custom"] = {}
        return json_answer(answer)


def _all_of(entity: Entity[Any], *, archived: bool) -> Callable[[Any], bool]:
    is_archived = entity.archived

    def everything(_: object) -> bool:
        return True

    def not_archived(row: object) -> bool:
        return is_archived is None or not is_archived(row)

    return everything if archived or is_archived is None else not_archived


def _count(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise errors.failure(
            f"Input string was not in a correct format: {name}={text}.", "System.FormatException"
        )
    return int(text)


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _unwrapped(body: dict[str, Any], inquiry: Inquiry) -> dict[str, Value]:
    given: dict[str, Value] = {}
    for name in (*inquiry.parameters, *inquiry.flags):
        if name not in body:
            continue
        wrapped = body[name]
        if not isinstance(wrapped, dict):
            raise errors.bad_request("The request is invalid.")
        value = wrapped.get("value")
        expected = bool if name in inquiry.flags else str
        if value is not None and not isinstance(value, expected):
            raise errors.bad_request("The request is invalid.")
        given[name] = value
    return given


def _echo(question: Question, name: str, style: Style) -> Json:
    value = question.given.get(name)
    if name == "Branch" and value is None:
        value = question.branch
    echo: Json = style.empty if value is None else {"value": value}
    if name in question.errors:
        echo["error"] = question.errors[name]
    return echo


def _ad_hoc_schema(shape: Shape[Any], style: Style) -> Json:
    answer: Json = {
        "id": str(uuid.uuid4()),
        "rowNumber": 1,
        "note": style.note,
        "custom": _custom_of(shape, style),
    }
    for collection in shape.collections:
        answer[collection.name] = [{"custom": _custom_of(collection.shape, style)}]
    return answer | {"_workflowActions": {}}


def _custom_of(shape: Shape[Any], style: Style) -> dict[str, Json]:
    views: dict[str, Json] = {}
    for field in style.custom(shape):
        views.setdefault(field.view, {})[field.name] = custom_value(field.kind, None)
    return views
