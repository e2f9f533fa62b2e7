"""What the gateway does with a request: control, then authentication, then one function after the other."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.sage_intacct import COMPANY_ID, SENDER_ID, SENDER_PASSWORD, USER_ID, envelope, errors
from tests.sandbox.sage_intacct.answers import Answer
from tests.sandbox.sage_intacct.catalog import Catalog
from tests.sandbox.sage_intacct.describing import Describer
from tests.sandbox.sage_intacct.envelope import tag
from tests.sandbox.sage_intacct.legacy import Legacy
from tests.sandbox.sage_intacct.reading import Query
from tests.sandbox.sage_intacct.shelves import Shelves

if TYPE_CHECKING:
    from collections import Counter

    from tests.sandbox.company.world import World
    from tests.sandbox.sage_intacct.envelope import Control, Function, Request
    from tests.sandbox.sage_intacct.sessions import Session, Sessions
    from tests.sandbox.sage_intacct.switches import Switches
    from tests.sandbox.sage_intacct.troubles import Trouble, Troubles

_XML = "text/xml; charset=UTF-8"


class Reply(NamedTuple):
    """An answer as it goes over the wire."""

    status: int
    content_type: str
    body: bytes


class Place(NamedTuple):
    """Where a request came to, and where the next ones have to go."""

    endpoint: str
    is_first: bool


class Gateway:
    """Answers requests. Whoever calls it holds the lock of the world."""

    def __init__(
        self,
        world: World,
        switches: Switches,
        sessions: Sessions,
        troubles: Troubles,
        calls: Counter[str],
    ) -> None:
        self._world = world
        self._switches = switches
        self._sessions = sessions
        self._troubles = troubles
        self._calls = calls
        self._completed: set[str] = set()
        catalog = Catalog(Shelves(world, switches), switches)
        self._query = Query(catalog, switches)
        self._legacy = Legacy(catalog, switches)
        self._describer = Describer(catalog, switches)

    def answer(self, body: bytes, line: str, endpoint: str, *, is_first: bool, is_xml: bool) -> Reply:
        """Answer one request.

        Args:
            body: What was posted.
            line: The request in short, for troubles.
            endpoint: Address that a new session is bound to.
            is_first: The request came to the address of the first call.
            is_xml: It was sent as XML.
        """
        control = envelope.Control()
        try:
            if not is_xml:
                raise errors.bad_xml("the content type must be application/xml")
            root = envelope.parse(body)
            control = envelope.read_control(root)
            request = envelope.read_request(root, control)
            if (control.sender, control.password) != (SENDER_ID, SENDER_PASSWORD):
                raise errors.wrong_sender()
            if self._switches.company_state != "active":
                is_expired = self._switches.company_state == "expired"
                raise errors.company_expired() if is_expired else errors.company_unauthorized()
            trouble = self._troubles.take(line)
            if trouble is not None and trouble.refusal.place == "control":
                raise trouble.refusal
        except errors.Refusal as refusal:
            return self.refuse(control, refusal)
        return self._operate(request, trouble, Place(endpoint, is_first))

    def refuse(self, control: Control, refusal: errors.Refusal) -> Reply:
        """An answer without an operation."""
        from_gateway = any((error.errorno or "").startswith("GW-") for error in refusal.errors)
        block = "<control><status>failure</status></control>"
        if not from_gateway:
            block = envelope.control_block(control, "failure")
        message = envelope.error_message(refusal.errors, details=control.details)
        body = envelope.document(block + message, whitespace=control.whitespace)
        return Reply(refusal.status, _XML, body)

    # ----------------------------------------------------- authentication

    def _operate(self, request: Request, trouble: Trouble | None, place: Place) -> Reply:
        control = request.control
        try:
            if trouble is not None and trouble.refusal.place == "authentication":
                raise trouble.refusal
            session = self._authenticate(request, place)
        except errors.Refusal as refusal:
            user = "" if request.login is None else request.login.user
            company = "" if request.login is None else request.login.company
            operation = (
                "<authentication><status>failure</status>"
                f"{tag('userid', user)}{tag('companyid', company)}</authentication>"
                + envelope.error_message(refusal.errors, details=self._details(control))
            )
            return self._reply(control, operation)
        results, whole = self._results(request, session, trouble, place)
        if whole is not None:
            return Reply(200, whole.content_type, whole.text.encode())
        zone = dt.timezone(dt.timedelta(minutes=self._switches.session_zone_minutes))
        now = self._world.company.clock.replace(microsecond=0).astimezone(zone)
        until = now + dt.timedelta(seconds=self._switches.session_life_seconds)
        authentication = (
            "<authentication><status>success</status>"
            + tag("userid", USER_ID)
            + tag("companyid", COMPANY_ID)
            + tag("locationid", session.location or "")
            + tag("sessiontimestamp", now.isoformat())
            + tag("sessiontimeout", until.isoformat())
            + "</authentication>"
        )
        return self._reply(control, authentication + "".join(results))

    def _authenticate(self, request: Request, place: Place) -> Session:
        if not self._switches.sender_authorized or (self._switches.needs_login and request.login is None):
            raise errors.sender_not_authorized(request.control.sender)
        names = [function.body.tag for function in request.functions]
        if request.login is not None:
            session = self._sessions.sign_in(request.login, self._locations)
        else:
            session = self._sessions.use(request.session_id or "")
        if place.is_first and names != ["getAPISession"]:
            raise errors.wrong_endpoint()
        return session

    @property
    def _locations(self) -> frozenset[str]:
        return frozenset(self._world.company.branches)

    def _details(self, control: Control) -> bool:
        return control.details and self._switches.error_details

    def _reply(self, control: Control, operation: str) -> Reply:
        inner = f"{envelope.control_block(control, 'success')}<operation>{operation}</operation>"
        return Reply(200, _XML, envelope.document(inner, whitespace=control.whitespace))

    # ---------------------------------------------------------- functions

    def _results(
        self, request: Request, session: Session, trouble: Trouble | None, place: Place
    ) -> tuple[list[str], Answer | None]:
        """One result a function, in order; or the one answer that needs no envelope."""
        results: list[str] = []
        answers: list[Answer] = []
        for position, function in enumerate(request.functions):
            try:
                answer = self._result(request, function, session, trouble, place)
            except errors.Refusal as refusal:
                results.append(
                    self._failure(function, refusal, trouble, details=self._details(request.control))
                )
                if request.transaction:
                    before = [self._wrapped(each, "aborted", "") for each in request.functions[:position]]
                    after = [self._wrapped(each, "aborted", "") for each in request.functions[position + 1 :]]
                    return [*before, results[-1], *after], None
                continue
            answers.append(answer)
            results.append(self._wrapped(function, "success", answer.text))
        if len(request.functions) == 1 and answers and answers[0].content_type:
            return [], answers[0]
        return results, None

    def _result(
        self, request: Request, function: Function, session: Session, trouble: Trouble | None, place: Place
    ) -> Answer:
        self._count(function)
        if request.control.unique and function.control_id in self._completed:
            raise errors.repeated(function.control_id)
        if trouble is not None and not trouble.with_data:
            raise trouble.refusal
        answer = self._call(request, function, session, place)
        if trouble is not None:
            raise _WithDataError(trouble.refusal, answer.text)
        self._completed.add(function.control_id)
        return answer

    def _failure(
        self, function: Function, refusal: errors.Refusal, trouble: Trouble | None, *, details: bool
    ) -> str:
        silent = not self._switches.failure_has_message or (trouble is not None and trouble.bare)
        message = "" if silent else envelope.error_message(refusal.errors, details=details)
        data = refusal.data if isinstance(refusal, _WithDataError) else ""
        return self._wrapped(function, "failure", data + message)

    def _wrapped(self, function: Function, status: str, inner: str) -> str:
        return (
            f"<result><status>{status}</status>"
            f"{tag('function', function.body.tag)}{tag('controlid', function.control_id)}{inner}</result>"
        )

    def _count(self, function: Function) -> None:
        name = function.body.tag
        self._calls[name] += 1
        subject = (function.body.findtext("object") or "").strip()
        if subject:
            self._calls[f"{name} {subject.upper()}"] += 1

    def _call(self, request: Request, function: Function, session: Session, place: Place) -> Answer:  # noqa: C901, PLR0911
        body = function.body
        match body.tag:
            case "getAPISession":
                return self._open_session(request, function, session, place)
            case "query":
                return self._query.answer(body, session.location)
            case "readByQuery":
                return self._legacy.read_by_query(body, session)
            case "readMore":
                return self._legacy.read_more(body, session)
            case "read" | "readByName":
                return self._legacy.read(body, session, by_name=body.tag == "readByName")
            case "lookup":
                return self._describer.lookup(body)
            case "inspect":
                return self._describer.inspect(body)
            case "getDimensions":
                return self._describer.dimensions()
            case "readEntityDetails":
                return self._describer.entities()
            case "readUserFormatting":
                return self._describer.user_formatting(body)
            case "getUserPermissions":
                return self._describer.permissions(body)
            case _:
                raise errors.bad_query(f"The function {body.tag} is not supported")

    def _open_session(self, request: Request, function: Function, session: Session, place: Place) -> Answer:
        if len(request.functions) != 1:
            raise errors.no_session_made("getAPISession must be the only function in a request")
        node = function.body.find("locationid")
        location = session.location if node is None else (node.text or None)
        if location is not None and location not in self._locations:
            raise errors.no_session_made(f"The location {location} does not exist")
        opened = self._sessions.open(location)
        if request.login is not None:
            session.location = location
        return Answer(
            "<data><api>"
            + tag("sessionid", opened.session_id)
            + tag("endpoint", self._switches.session_endpoint or place.endpoint)
            + tag("locationid", location or "")
            + "</api></data>"
        )


class _WithDataError(errors.Refusal):
    """A failure that still holds data."""

    def __init__(self, refusal: errors.Refusal, data: str) -> None:
        super().__init__(refusal.place, refusal.errors, status=refusal.status)
        self.data = data
