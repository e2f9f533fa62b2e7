"""What a test can change about the sandbox's Tableau Server."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Literal

from tests.sandbox.faults import Fault
from tests.sandbox.tableau.wire import error_body

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1024 * 1024

Outcome = Literal["success", "failed", "cancelled", "never"]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclasses.dataclass
class Fate:
    """What happens to one job that is still to come.

    Attributes:
        outcome: How it ends; `never` leaves it unfinished for ever.
        kind: Only a job of this type meets this fate ("" = the next job of any type):
            `PublishDatasource`, `UpdateUploadedFile` or `RefreshExtract`.
        polls: How many questions it stays unfinished (None: `Switches.job_polls`).
        notes: Text of its notes; None leaves the element out, as some real failures do.
        finish_code: Said instead of 0, 1 or 2 when it ends ("7": a code nobody has heard of).
        applies: Whether its work is done (None: only when the outcome is `success`).
        missing_polls: How many first questions are answered 404018, job not found.
    """

    outcome: Outcome = "success"
    kind: str = ""
    polls: int | None = None
    notes: str | None = None
    finish_code: str | None = None
    applies: bool | None = None
    missing_polls: int = 0

    @property
    def does_its_work(self) -> bool:
        """Whether the data will be different afterwards."""
        return self.outcome == "success" if self.applies is None else self.applies


@dataclasses.dataclass
class Switches:
    """How this server behaves; change it at any time.

    Attributes:
        api_version: What `serverInfo` says. Methods that are newer answer 404003.
        clock: The server's clock (aware, UTC); tests move it.
        idle_minutes: A session that rests longer is gone (Server's default 240, Cloud 120).
        expire_after_calls: A session token dies after so many calls (None: never).
        stillborn_sessions: So many of the next sign-ins give a token that is refused at once.
        pat_days_left: Days until the personal access tokens end; 0 or less: expired.
        password_sign_in: False refuses user name and password, as Cloud with MFA does.
        create_new_code: What CreateNew over an existing name answers.
        job_polls: How many questions a job stays unfinished.
        work_at_finish: Do a job's work at its last poll instead of when it is accepted.
        fates: What the next jobs meet, first match first.
        early_finish_code: Jobs say finishCode="1" while they are still pending, as real ones do.
        fractional_seconds: Times on finished jobs carry milliseconds.
        index_lag_calls: A new data source stays invisible to so many list calls.
        download_as_hyper: A data source published as .hyper comes back as such, not as .tdsx.
        max_hyper_version: A newer file version is refused at publish.
        strict_payload: insert, upsert and replace want every column of the target in the payload.
        single_request_limit: Bytes that fit one publish request; beyond it chunks are needed.
        patch_limit: Bytes of payload that a PATCH takes before 413.
        condition_limit: Constants in one condition before the engine falls over.
        duplicate_answer: A repeated RequestID is answered with the old job, or with nothing.
        revision_limit: How many revisions keep their file.
        refresh_queued: So many refresh calls are answered 409093, already queued.
        not_refreshable_status: HTTP status that goes with 409090.
        refreshes_per_hour: Cloud's cap on refresh calls (None: Server, no cap).
        publishes_per_hour: Cloud's cap on publish and update calls.
        job_queries_per_day: Cloud's cap on job queries.
        retry_after: Whether 429 carries a Retry-After header.
        metadata_enabled: Whether the Metadata API answers.
        loopback_webhooks: Webhooks may also go to http addresses on this machine, which a real server refuses.
        webhook_gap_seconds: Between the first and the second try of an event; it doubles with each further one.
        webhook_failures: After so many events in a row that were given up, a webhook is switched off (None: never).
        deliver: Sends a webhook's body to a URL and returns the HTTP status; None posts it.
    """

    api_version: str = "3.29"
    clock: Callable[[], dt.datetime] = _now
    idle_minutes: int = 240
    expire_after_calls: int | None = None
    stillborn_sessions: int = 0
    pat_days_left: int = 364
    password_sign_in: bool = True
    create_new_code: str = "403007"
    job_polls: int = 1
    work_at_finish: bool = False
    fates: list[Fate] = dataclasses.field(default_factory=list)
    early_finish_code: bool = False
    fractional_seconds: bool = False
    index_lag_calls: int = 0
    download_as_hyper: bool = False
    max_hyper_version: int = 4
    strict_payload: bool = True
    single_request_limit: int = 64 * MEGABYTE
    patch_limit: int = 100 * MEGABYTE
    condition_limit: int = 10_000
    duplicate_answer: Literal["job", "empty"] = "job"
    revision_limit: int = 25
    refresh_queued: int = 0
    not_refreshable_status: int = 409
    refreshes_per_hour: int | None = None
    publishes_per_hour: int | None = None
    job_queries_per_day: int | None = None
    retry_after: bool = True
    metadata_enabled: bool = True
    loopback_webhooks: bool = False
    webhook_gap_seconds: int = 10
    webhook_failures: int | None = None
    deliver: Callable[[str, bytes], int] | None = None

    def fate_of(self, kind: str) -> Fate:
        """Take the fate that the next job of a type meets."""
        for fate in self.fates:
            if fate.kind in {"", kind}:
                self.fates.remove(fate)
                return fate
        return Fate()


def too_many_requests(
    pattern: str, *, times: int = 1, seconds: int | None = None, minutes: int | None = None
) -> Fault:
    """A fault for `Script.add`: 429000 in Tableau's own words.

    Args:
        pattern: Which calls, as in `Fault.pattern`.
        times: How many of them.
        seconds: Value of a Retry-After header; None leaves it out.
        minutes: Said in the text ("Please retry after 29 minutes."); None leaves it out.
    """
    headers = {"content-type": "application/xml;charset=utf-8"}
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    wait = "" if minutes is None else f" Please retry after {minutes} minutes."
    body = error_body("429000", "Too Many Requests", f"Too many requests for 'api.rest'.{wait}")
    return Fault(pattern, status=429, body=body, headers=headers, times=times)
