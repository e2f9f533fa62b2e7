"""Sign-in: Basic for OData, and e.net sessions that are always logged off.

The session id of e.net is no credential of OData as the vendor documents it; sites where it is one, behind a gateway
for example, say so by `auth_method`. A Logon ends every earlier session of the same operator, so one operator serves
one process, and companies are read one after the other. What a killed run left behind ends with the next Logon.
"""

from __future__ import annotations

import contextlib
import html
import json
import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from requests.auth import AuthBase, HTTPBasicAuth
from typing_extensions import override

from tap_syspro.client import Unsigned, address_of
from tap_syspro.errors import ApiError, NotFoundError, SessionEndedError, UserError
from tap_syspro.store import store_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from tap_syspro.client import Client

_ELEMENT: Final = re.compile(r"(?:<\?xml[^>]*\?>\s*)?<string(?:\s[^>]*)?>(.*)</string>", re.DOTALL)
_SESSION_ID: Final = re.compile(r"[0-9A-Za-z\-{}]{8,64}")
_LOCK_WAIT_SECONDS: Final = 30

_LOG: Final = logging.getLogger("tap-syspro")


def enet_address(config: Mapping[str, Any]) -> str:
    """Address of the e.net REST service, without a slash at its end.

    Raises:
        UserError: It is no address.
    """
    if config.get("enet_base_url"):
        return address_of(config, "enet_base_url")
    return f"{address_of(config, 'base_url')}/SYSPROWCFService/Rest"


def peeled(body: str) -> str:
    """A value without what hosts wrap it in: JSON text or a serialized `<string>` element."""
    text = body.strip()
    if match := _ELEMENT.fullmatch(text):
        text = html.unescape(match[1]).strip()
    if text.startswith('"') and text.endswith('"'):
        with contextlib.suppress(ValueError):
            text = str(json.loads(text))
    return text.strip()


class Sessions:
    """The one e.net session of a run: begun per company, replaced when old or lost, logged off on every way out.

    Args:
        client: Sends the requests.
        config: The tap's settings.
    """

    def __init__(self, client: Client, config: Mapping[str, Any]) -> None:
        missing = [name for name in ("operator", "operator_password") if not config.get(name)]
        if missing:
            raise UserError(f"{', '.join(missing)}: needed for e.net sessions")
        self.client = client
        self.config = config
        self.base_url = enet_address(config)
        # By what the server knows of it, whatever else the runs are configured to do.
        self._store = store_of(config, "base_url", "enet_base_url", "operator")
        self._guard = threading.RLock()
        self._locks = contextlib.ExitStack()
        self._is_locked = False
        self._is_closed = False
        self._company = ""
        self._id = ""
        self._begun_at = 0.0

    def id_for(self, company: str) -> str:
        """The id of a session in a company, begun where there is none or the present one is too old.

        Raises:
            UserError: The logon is refused; it is never repeated, because that may lock the operator out.
        """
        with self._guard:
            if self._is_closed:  # a page that was being fetched ahead when the run ended
                raise SessionEndedError("The run has ended.")
            age = time.monotonic() - self._begun_at
            if self._id and self._company == company and age < self.config["session_max_age_seconds"]:
                return self._id
            self._logoff()
            self._claim_operator()
            self._id = self._logon(company)
            self._company = company
            self._begun_at = time.monotonic()
            return self._id

    def renew(self, session_id: str) -> None:
        """Forget a session of which the server says that it has ended."""
        with self._guard:
            if self._id == session_id:
                self._id = ""

    def close(self) -> None:
        """Log off for good and let another run of this operator begin. May be called twice."""
        with self._guard:
            self._is_closed = True
            self._logoff()
            self._locks.close()
            self._is_locked = False

    def _claim_operator(self) -> None:
        """Make sure that no other run on this machine uses the operator: the two would end each other's sessions."""
        if self._is_locked:
            return
        self._is_locked = self._locks.enter_context(self._store.lock("operator", _LOCK_WAIT_SECONDS))
        if not self._is_locked:
            raise UserError(
                f"operator: another run uses operator {self.config['operator']}, and a second logon would end its "
                "session; let it end, or give this run an operator of its own"
            )

    def _logon(self, company: str) -> str:
        config = self.config
        fields = {
            "Operator": config["operator"],
            "OperatorPassword": config["operator_password"],
            "CompanyId": company,
            "CompanyPassword": config["company_passwords"].get(company)
            or config.get("company_password")
            or "",
        }
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in fields.items())
        address = f"{self.base_url}{config['logon_path']}"
        try:
            body = self.client.get(f"{address}?{query}", Unsigned, lambda response: response.text)
        except NotFoundError as error:
            raise UserError(f"enet_base_url, logon_path: there is no Logon at {address}. {error}") from None
        except ApiError as error:
            raise UserError(f"enet_base_url: the logon did not succeed. {error}") from None
        found = peeled(body)
        if found.upper().startswith("ERROR"):
            said = self.client.redact(found[:200])
            raise UserError(
                f"operator, operator_password, companies: the logon to {company} is refused. {said}"
            )
        if not _SESSION_ID.fullmatch(found):
            raise UserError(f"enet_base_url, logon_path: {address} does not answer with a session id")
        self.client.secrets.add(found)
        return found

    def _logoff(self) -> None:
        session_id, self._id = self._id, ""
        if not session_id:
            return
        address = f"{self.base_url}{self.config['logoff_path']}?UserId={quote(session_id, safe='')}"
        body = self.client.farewell(address)
        if body is not None and peeled(body) != "0":
            # Mostly the session had ended by itself, which is what was wanted.
            _LOG.info("Logoff was answered with: %s", self.client.redact(peeled(body)[:200]))


class SessionAuth(AuthBase):
    """Signs an OData request with an e.net session, in a header or in the query, and with Basic where wanted."""

    def __init__(self, session_id: str, name: str, place: str, basic: AuthBase | None) -> None:
        self.session_id = session_id
        self._name = name
        self._place = place
        self._basic = basic

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._basic is not None:
            r = self._basic(r)
        if self._place == "header":
            r.headers[self._name] = self.session_id
        elif r.url is not None:
            r.url += f"{'&' if '?' in r.url else '?'}{quote(self._name)}={quote(self.session_id, safe='')}"
        return r


class ODataSignIn:
    """Signs OData requests by the configured method.

    Args:
        config: The tap's settings.
        sessions: The e.net session, for methods that need one.
    """

    def __init__(self, config: Mapping[str, Any], sessions: Sessions | None) -> None:
        self._config = config
        self._sessions = sessions
        self._basic: AuthBase | None = None
        if "basic" in config["auth_method"]:
            missing = [name for name in ("odata_username", "odata_password") if not config.get(name)]
            if missing:
                raise UserError(f"{', '.join(missing)}: needed for auth_method {config['auth_method']}")
            # Bytes, because user names and passwords may hold more than Latin-1.
            user, password = (str(config[name]).encode() for name in ("odata_username", "odata_password"))
            self._basic = HTTPBasicAuth(user, password)

    def credentials(self, company: str) -> AuthBase:
        """What signs a request.

        Raises:
            UserError: The logon is refused.
        """
        if self._sessions is None:
            return self._basic or Unsigned()
        session_id = self._sessions.id_for(company)
        config = self._config
        return SessionAuth(session_id, config["session_param_name"], config["session_param_in"], self._basic)

    def renew(self, auth: AuthBase) -> bool:
        """Forget the session that signed a request; false when there is none that could be renewed."""
        if self._sessions is None or not isinstance(auth, SessionAuth):
            return False
        self._sessions.renew(auth.session_id)
        return True
