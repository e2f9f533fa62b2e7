"""One signed-in connection to Tableau Server or Cloud.

tableauserverclient builds the requests; what it leaves to its callers is here: time-outs, retries, signing in
again after a session was superseded or ran out, waiting for jobs, and errors in one line.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

import backoff
import requests
import tableauserverclient as tsc
from lxml import etree
from tableauserverclient.server.endpoint.exceptions import (
    FailedSignInError,
    InternalServerError,
    NonXMLResponseError,
    RedirectError,
    ServerResponseError,
)
from tableauserverclient.server.exceptions import EndpointUnavailableError

from target_tableau.answers import Answers, is_final, unreached
from target_tableau.documents import safe_parser
from target_tableau.errors import JobError, TableauError
from target_tableau.sign_in import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from target_tableau.address import Address
    from target_tableau.sign_in import Credentials

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)
logging.getLogger("TSC").setLevel(logging.WARNING)  # it tells of every call, and at DEBUG quotes requests

_CONNECT_SECONDS = 10
_READ_SECONDS = 900
_TRIES = 5
_SIGN_IN_TRIES = 3  # a wrong address should be told soon
_SIGN_INS = 3
_UNSUPPORTED_VERSION = "2.4"  # what tableauserverclient stays at when it could not ask for the version

_NETWORK = ". Check server_url and the network"
_NO_SESSION = {"401000", "401002"}
_BAD_CREDENTIALS = "401001"
_RATE_LIMITED = "429000"
_JOB_NOT_FOUND = "404018"
_GATEWAY = {502, 503, 504}
_FINISHED_WELL = {"0", "3"}  # 3: finished, nothing was to do
_CANCELLED = "2"
_RATE_LIMIT_FACTOR = 15.0  # 15 s, 30 s, 60 s ... where Tableau does not say for how long


@dataclasses.dataclass(frozen=True)
class Job:
    """What a Tableau job has come to.

    Attributes:
        luid: Id of the job.
        ended: It will not change any more.
        ok: It ended well.
        progress: Per cent, as Tableau tells.
        notes: Tableau's words about it, possibly none.
        cancelled: Somebody cancelled it.
        subjects: Ids of the workbooks and data sources that it is about.
    """

    luid: str
    ended: bool
    ok: bool
    progress: str
    notes: str
    cancelled: bool = False
    subjects: tuple[str, ...] = ()


class TableauClient:
    """Calls Tableau for one run. A context manager: signs in on entry, out on exit.

    Args:
        address: The server and its site.
        credentials: How to sign in.
        patience_seconds: How long to wait when Tableau puts a call off.
        pause: Waits; tests give one that does not. Used by whoever waits for Tableau.
    """

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        patience_seconds: int = 3600,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self.pause = pause
        self._patience = patience_seconds
        self._answers = Answers(warn_of_token=isinstance(credentials, Token))
        self.server = tsc.Server(
            address.server_url,
            http_options={"timeout": (_CONNECT_SECONDS, _READ_SECONDS)},
            session_factory=self._answers.session,
        )

    @property
    def token_days(self) -> int | None:
        """In how many days the personal access token ends, if the server has told."""
        return self._answers.token_days

    def __enter__(self) -> Self:
        self.sign_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sign out; a session that cannot be signed out ends by itself, so this never hides an error."""
        try:
            self.server.auth.sign_out()
        except (
            tsc.server.endpoint.exceptions.TableauError,
            requests.RequestException,
            ValueError,
        ) as failure:
            logger.info("Signing out of Tableau did not work (%s); the session will run out.", _line(failure))
        self.server.session.close()

    def sign_in(self) -> None:
        """Open a session.

        Raises:
            TableauError: The address, the site or the token is wrong, or the server cannot be reached.
        """
        where = self.address.server_url
        try:
            self._retry(
                lambda: self.server.auth.sign_in(self._credentials.request(self.address.site)),
                idempotent=True,
            )
        except FailedSignInError as refusal:
            if refusal.code != _BAD_CREDENTIALS:
                raise TableauError(_line(refusal), refusal.code) from refusal
            raise TableauError(
                f"Tableau at {where} refused the sign-in to site '{self.address.site}' (401001): "
                f"{self._credentials.check}. The site is the part of the URL after /site/, empty for Server's default.",
                refusal.code,
            ) from refusal
        except ServerResponseError as refusal:
            raise TableauError(
                f"{where} does not sign in ({_line(refusal)}): check server_url (the address only, as you open it in "
                "the browser).",
                refusal.code,
            ) from refusal
        except (NonXMLResponseError, SyntaxError, AttributeError) as odd:  # XML parse errors are SyntaxErrors
            # A web page instead of Tableau's XML: the address is not, or not only, that of Tableau.
            raise TableauError(
                f"{where} answered, but not as Tableau does: check server_url (the address only, as you open it in "
                "the browser) and any proxy in between."
            ) from odd
        self._negotiate_version(where)

    def _negotiate_version(self, where: str) -> None:
        self.server.use_server_version()
        if self.server.version == _UNSUPPORTED_VERSION:
            raise TableauError(
                f"Tableau at {where} did not tell its version (serverInfo). Its REST API must be reachable; ask "
                "the administrator whether it is switched off or blocked by a proxy."
            )

    def call(self, action: Callable[[], _Result], what: str, *, idempotent: bool = True) -> _Result:
        """Do something on the server, with a new session or another try where that helps.

        Args:
            action: Makes one request through `server`.
            what: What it is, for the error message ("look for the project").
            idempotent: It may be done twice. Otherwise only a refusal is repeated, never a broken connection.

        Raises:
            TableauError: It did not work.
        """
        for _ in range(_SIGN_INS):
            try:
                return self._retry(action, idempotent=idempotent)
            except FailedSignInError as refusal:
                if refusal.code not in _NO_SESSION:
                    raise TableauError(f"Could not {what}: {_line(refusal)}", refusal.code) from refusal
                logger.info("Tableau ended our session (%s); signing in again.", refusal.code)
                self.pause(random.uniform(0.2, 2.0))  # noqa: S311 - only keeps two clients out of step
                self.sign_in()
            except ServerResponseError as refusal:
                raise TableauError(f"Could not {what}: {_line(refusal)}", refusal.code) from refusal
            except (NonXMLResponseError, RedirectError, EndpointUnavailableError, SyntaxError) as odd:
                raise TableauError(f"Could not {what}: {_line(odd)}") from odd
            except KeyError as absent:  # tableauserverclient takes the header of a download for granted
                raise TableauError(f"Could not {what}: the answer lacks {absent}") from absent
        raise TableauError(
            f"Could not {what}: Tableau ended our session {_SIGN_INS} times. {self._credentials.shared}",
            "401002",
        )

    def _retry(self, action: Callable[[], _Result], *, idempotent: bool, tries: int = _TRIES) -> _Result:
        """Repeat what the network or a gateway broke, and what Tableau put off.

        Raises:
            TableauError: Tableau cannot be reached.
        """
        waits = backoff.expo(base=2, max_value=60)
        next(waits)  # backoff's generators begin with an empty value
        for left in reversed(range(tries)):
            try:
                return action()
            except ServerResponseError as refusal:
                if refusal.code != _RATE_LIMITED or not left:
                    raise
                wait = self._answers.put_off(str(refusal.detail)) or next(waits) * _RATE_LIMIT_FACTOR
                if wait > self._patience:  # its own words tell for how long
                    raise
                self.pause(wait)
                continue
            except InternalServerError as failure:
                if not idempotent or failure.code not in _GATEWAY or not left:
                    raise TableauError(
                        f"Tableau at {self.address.server_url} answered HTTP {failure.code}. Try again later; if it "
                        "goes on, ask its administrator.",
                        str(failure.code),
                    ) from failure
                wait = float(next(waits))
            except requests.RequestException as failure:
                final = is_final(failure)
                if not idempotent or not left or final:
                    why = unreached(failure) or _line(failure) + _NETWORK
                    raise TableauError(
                        f"Tableau at {self.address.server_url} cannot be reached: {why}."
                    ) from failure
                wait = float(next(waits))
            self.pause(backoff.full_jitter(wait))
        raise AssertionError("the last try either returns or raises")

    def update(
        self, datasource: str, request_id: str, actions: Sequence[dict[str, Any]], payload: Path, name: str
    ) -> str | None:
        """Change the rows of a data source that is live to Hyper (PATCH .../data, API 3.12 and later).

        Payload and request are sent one after the other, each with tries of its own: a session that ends in
        between costs only the second.

        Args:
            datasource: Id of the data source.
            request_id: Tableau carries out one request of an id; a repetition is ignored.
            actions: What to do, as one transaction.
            payload: A .hyper file that the actions refer to.
            name: Of the data source, for messages.

        Returns:
            Id of the job; None if Tableau ignored the request as a repetition and names none.

        Raises:
            TableauError: Tableau refused, or could not be reached.
        """
        datasources = self.server.datasources
        upload = self.call(
            lambda: self.server.fileuploads.upload(payload), f"upload the change of the data source '{name}'"
        )
        url = f"{datasources.baseurl}/{datasource}/data?uploadSessionId={upload}"
        answer = self.call(
            lambda: datasources.patch_request(
                url,
                json.dumps({"actions": list(actions)}),
                "application/json",
                parameters={"headers": {"requestid": request_id}},
            ),
            f"update the data source '{name}'",
        )
        if not answer.content.strip():
            return None
        job = etree.fromstring(answer.content, safe_parser()).find("{*}job")
        return None if job is None else job.get("id")

    def document(self, url: str, what: str) -> etree._Element:
        """Read something that tableauserverclient reads in part only.

        Args:
            url: Its whole address.
            what: What it is, for the error message.

        Raises:
            TableauError: It did not work.
        """
        get: Callable[[str], requests.Response] = self.server.jobs.get_request  # any endpoint of it can
        return self.call(lambda: etree.fromstring(get(url).content, safe_parser()), what)

    # -- jobs ----------------------------------------------------------------------------------------------

    def job(self, luid: str) -> Job:
        """Ask how a job stands.

        A job's finishCode means nothing before it has a completedAt, which is tested as text because servers
        write it in forms that tableauserverclient does not read (Tableau REST API reference, "Query Job").
        """
        url = f"{self.server.jobs.baseurl}/{luid}"
        document = self.document(url, f"ask for job {luid}")
        element = next((node for node in document.iter() if _local(node) == "job"), None)
        if element is None:
            raise TableauError(f"Could not ask for job {luid}: the answer holds no job.")
        code = element.get("finishCode", "")
        notes = " ".join(
            text.strip()
            for node in element.iter()
            for text in ([node.text or ""] if _local(node) == "notes" else [node.get("text", "")])
            if text.strip()
        )
        ended = bool(element.get("completedAt"))
        return Job(
            luid=luid,
            ended=ended,
            ok=ended and code in _FINISHED_WELL,
            progress=element.get("progress", ""),
            notes=notes,
            cancelled=ended and code == _CANCELLED,
            subjects=tuple(
                node.get("id", "") for node in element.iter() if _local(node) in {"datasource", "workbook"}
            ),
        )

    def wait(self, luids: Iterable[str], timeout_seconds: int) -> Iterator[Job]:
        """Wait for jobs and yield each as it ends, well or not.

        Raises:
            JobError: A job did not end in time; the message tells which, how far it came and what to do.
            TableauError: Tableau cannot be asked.
        """
        waiting = dict.fromkeys(luids)
        last: dict[str, Job] = {}
        deadline = time.monotonic() + timeout_seconds
        interval = 0.25
        while waiting:
            for luid in list(waiting):
                try:
                    last[luid] = self.job(luid)
                except TableauError as failure:
                    # A job just made may not be found yet on another node; the deadline ends that too.
                    if failure.code != _JOB_NOT_FOUND or time.monotonic() > deadline:
                        raise
                    continue
                if last[luid].ended:
                    del waiting[luid]
                    yield last[luid]
            if not waiting:
                return
            if time.monotonic() > deadline:
                luid = next(iter(waiting))
                progress = last[luid].progress if luid in last else ""
                told = [self._cancel(each) for each in waiting]
                after = "It was cancelled" if all(told) else "It could not be cancelled and may still go on"
                raise JobError(
                    f"Tableau job {luid} did not end within {timeout_seconds} s (progress {progress or 'unknown'} %). "
                    f"{after}: look under Jobs in Tableau, and raise job_timeout_seconds if it is only slow."
                )
            self.pause(interval)
            interval = min(interval * 1.5, 30.0)

    def _cancel(self, luid: str) -> bool:
        """Try to cancel a job that we no longer wait for; Tableau lets refreshes be cancelled, and little else."""
        try:
            self.call(lambda: self.server.jobs.cancel(luid), f"cancel job {luid}")
        except TableauError as refusal:
            logger.info("%s", refusal)
            return False
        return True


def _local(node: etree._Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _line(failure: Exception) -> str:
    """An error's own words in one line; a page of HTML is not quoted."""
    if isinstance(failure, FailedSignInError | ServerResponseError):
        return f"{failure.summary}: {failure.detail} ({failure.code})"
    text = " ".join(str(failure).split())
    return "the answer is a web page, not Tableau's" if "<html" in text.lower() else text[:300]
