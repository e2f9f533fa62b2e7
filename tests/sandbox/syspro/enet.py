"""e.net Solutions over REST: logon, logoff, and the query objects, with errors that come as HTTP 200."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from starlette.responses import Response

from tests.sandbox.syspro import ENET_PATH, OPERATOR, OPERATOR_PASSWORD
from tests.sandbox.syspro.browse import Browser
from tests.sandbox.syspro.comfnd import TableQuery
from tests.sandbox.syspro.enet_xml import EnetError, Writer
from tests.sandbox.syspro.refusals import page
from tests.sandbox.syspro.sessions import EXPIRED

if TYPE_CHECKING:
    from tests.sandbox.syspro.database import Database, Databases
    from tests.sandbox.syspro.exchange import Exchange
    from tests.sandbox.syspro.sessions import Session, Sessions
    from tests.sandbox.syspro.switches import Switches

_STREAM = "application/octet-stream"
_MAX_REQUEST_LINE = 16_384  # http.sys
_LOGON = ("operator", "operatorpassword", "companyid", "companypassword")
_SERVER = {"Server": "Microsoft-HTTPAPI/2.0"}
_STRING = '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{}</string>'


class Enet:
    """Answers e.net calls. Callers hold the lock of the world.

    Attributes:
        sessions: The sessions that are open.
    """

    def __init__(self, databases: Databases, sessions: Sessions, switches: Switches) -> None:
        self.sessions = sessions
        self._databases = databases
        self._switches = switches

    def answer(self, exchange: Exchange) -> Response:
        """Answer one call; paths and names of parameters may be in any case.

        Raises:
            Refusal: There is nothing at this address, or not for this method.
        """
        if len(exchange.raw_path) + len(exchange.query) > _MAX_REQUEST_LINE:
            raise page(400, "Bad Request - Request Too Long", headers=_SERVER)
        name = exchange.path.lower().removeprefix(ENET_PATH.lower()).strip("/")
        prefix = "utilities/" if self._switches.utilities_paths else ""
        calls = {
            f"{prefix}logon": self._log_on,
            f"{prefix}logoff": self._log_off,
            "getversion": self._version,
            "getlogonprofile": self._profile,
            "query/query": self._query,
            "query/browse": self._browse,
            "query/fetch": self._fetch,
        }
        if name not in calls:
            raise page(404, "Service", "Endpoint not found.", _SERVER)
        if exchange.method != "GET":
            raise page(405, "Service", "Method not allowed.", _SERVER)
        try:
            body = calls[name](exchange.parameters)
        except EnetError as wrong:
            body = str(wrong).encode("cp1252", "replace")
        return self._respond(body)

    def _respond(self, body: bytes) -> Response:
        form = self._switches.enet_wrapping
        if form == "plain":
            return Response(body, headers={**_SERVER, "content-type": _STREAM})
        text = _text(body)
        if form == "json":
            return Response(json.dumps(text), headers={**_SERVER, "content-type": "application/json"})
        return Response(_STRING.format(escape(text)), headers={**_SERVER, "content-type": "application/xml"})

    # ---------------------------------------------------------------- sessions

    def _log_on(self, parameters: dict[str, str]) -> bytes:
        missing = [name for name in _LOGON if name not in parameters]
        if missing:
            raise page(400, "Request Error", f"The parameter {missing[0]} is missing.", _SERVER)
        operator, password, company_id, company_password = (parameters[name] for name in _LOGON)
        wrong = ""
        if operator.upper() != OPERATOR:
            wrong = "ERROR: Invalid operator"
        elif password != OPERATOR_PASSWORD:
            wrong = "ERROR: Invalid operator password"
        elif company_id not in self._databases.by_company:
            wrong = "ERROR: Invalid company"
        elif company_password != self._switches.company_passwords.get(company_id, ""):
            wrong = "ERROR: Invalid company password"
        if wrong:
            self.sessions.failed += 1
            raise EnetError(wrong)
        return self.sessions.log_on(OPERATOR, company_id).encode()

    def _log_off(self, parameters: dict[str, str]) -> bytes:
        session_id = parameters.get("userid", "")
        if not self.sessions.log_off(session_id):
            instance = (session_id.rstrip(" ")[-2:] or "0")[:1]
            raise EnetError(
                f"ERROR: Unable to read the SYSPRO base directory registry string BaseDir{instance}"
            )
        return b"0"

    def _version(self, _: dict[str, str]) -> bytes:
        return self._switches.enet_version.encode()

    def _profile(self, parameters: dict[str, str]) -> bytes:
        session = self._session(parameters)
        view = self._database(session).view
        writer = Writer(self._switches)
        fields = {
            "CompanyName": view.company.name,
            "OperatorCode": session.operator,
            "CompanyId": session.company_id,
            "CompanyDate": view.company.clock.date().isoformat(),
            "AccountingDate": view.company.clock.date().isoformat(),
            "LocalCurrencyCode": view.company.base_currency,
            "DateFormat": "1",
            "DecimalFormat": "1",
            "SysproVersion": self._switches.enet_version,
            "EnetVersion": self._switches.enet_version,
            "DatabaseType": "SQL",
        }
        return writer.document("UserProfile", [writer.element(*each) for each in fields.items()], bare=True)

    def _session(self, parameters: dict[str, str]) -> Session:
        session = self.sessions.use(parameters.get("userid", ""))
        if session is None:
            raise EnetError(EXPIRED)
        return session

    def _database(self, session: Session) -> Database:
        return self._databases.by_company[session.company_id]

    # ----------------------------------------------------------------- queries

    def _query(self, parameters: dict[str, str]) -> bytes:
        session = self._session(parameters)
        name = parameters.get("businessobject", "").upper()
        self._check_licence(name)
        if name != "COMFND":
            raise _exception(name)
        return TableQuery(self._database(session), self._switches).answer(parameters.get("xmlin", ""))

    def _browse(self, parameters: dict[str, str]) -> bytes:
        session = self._session(parameters)
        self._check_licence("COMBRW")
        return Browser(self._database(session), self._switches).browse(parameters.get("xmlin", ""))

    def _fetch(self, parameters: dict[str, str]) -> bytes:
        session = self._session(parameters)
        self._check_licence("COMFCH")
        return Browser(self._database(session), self._switches).fetch(parameters.get("xmlin", ""))

    def _check_licence(self, name: str) -> None:
        if name not in self._switches.licensed_objects:
            raise _exception(name)


def _exception(name: str) -> EnetError:
    return EnetError(
        f"ERROR: e.net exception 100000: business object {name} is not available to this operator"
    )


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
