"""What a test can change about the sandbox's Exact Online site."""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass
class Switches:
    """How this site behaves; change it at any time. Endpoints are named by their path below the division.

    Attributes:
        clock: What tokens, quotas and the `Date` header go by: the company's clock, which stands still until it is
            moved, or real time. Rows and `Me.ServerTime` are always on the company's.
        access_token_seconds: Life of an access token.
        refresh_not_before_seconds: A refresh earlier than this after the last grant is refused.
        refresh_token_days: Life of a refresh token that nobody uses.
        code_seconds: Life of an authorisation code.
        token_calls_per_day: Calls of the token endpoint on one UTC day; beyond them 429.
        revoke_on_reuse: A refresh token that was used already ends the whole chain; False: it is only refused.
        too_early_status: Status of the answer to a refresh that comes too early.
        expires_in_as_text: `expires_in` is a string.
        minute_limit: Calls per division in one minute of the clock.
        day_limit: Calls per division on one UTC day.
        bare_429: A refusal by quota has neither headers nor a body.
        error_budget: Answers of 400, 401, 403 and 404 per division, endpoint and hour; one more blocks the key.
        block_seconds: How long the key is blocked; twice as long each further time.
        blocked_status: Status of the answers while it is blocked.
        overlap: Requests for a division that overlap are counted, or refused too (429 without headers).
        request_line_limit: Longer addresses, path and query together, are refused with 414.
        select_mandatory: Plain and bulk lists need `$select` (or `$top=1`).
        filter_mandatory: Plain and bulk lists with a sync twin need a `$filter` on Modified, Created or the key.
        unfilterable: Endpoint to properties that `$filter` is refused on.
        unorderable: Endpoints that refuse `$orderby`.
        withdrawn: Endpoint to properties that it does not know (any more).
        sync_in_order: Sync pages come in order of Timestamp; False: in order of the row's ID.
        select_optional: Plain lists that answer without `$select`, as was seen of these.
        bare_when_topped: A `$top` of no more than a page gives `{"d": [...]}` without `results`: seen of most lists.
        bare_lists: Endpoints that answer `{"d": [...]}` without `results` where all rows fit on one page.
        padded: Account codes are padded to 18 characters on the left, VAT, country and language codes and the
            units of items on the right.
        empty_guid: Missing guids of `current/Me` are written as the zero guid.
        offset_seconds: What `Me.ServerUtcOffset` says; None: what is true.
        forbidden: Endpoint to the text of the 403 that it answers.
        division_reasons: Division to the `Reason` header of the 403 that all its endpoints answer.
        empty: Endpoints that answer 200 with no rows, as they do where a right is missing.
        deleted_days: How long `sync/Deleted` remembers.
        loopback_callbacks: Webhooks may call loopback addresses; others must be https on the domain of the
            redirect address.
        webhook_attempts: How often the delivery of an event is tried again.
        webhook_retry_seconds: Wait before the first retry; it doubles with each.
    """

    clock: Literal["company", "real"] = "company"
    access_token_seconds: int = 600
    refresh_not_before_seconds: int = 570
    refresh_token_days: int = 30
    code_seconds: int = 180
    token_calls_per_day: int = 200
    revoke_on_reuse: bool = True
    too_early_status: Literal[400, 401] = 400
    expires_in_as_text: bool = True
    minute_limit: int = 60
    day_limit: int = 5000
    bare_429: bool = False
    error_budget: int = 10
    block_seconds: int = 3600
    blocked_status: Literal[400, 403] = 403
    overlap: Literal["record", "refuse"] = "record"
    request_line_limit: int = 6000
    select_mandatory: bool = True
    filter_mandatory: bool = True
    unfilterable: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    unorderable: frozenset[str] = frozenset()
    withdrawn: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    sync_in_order: bool = True
    select_optional: frozenset[str] = frozenset({"system/Divisions", "vat/VATCodes", "financial/Journals"})
    bare_when_topped: bool = True
    bare_lists: frozenset[str] = frozenset({"read/sync/Sync/SyncTimestamp"})
    padded: bool = True
    empty_guid: bool = True
    offset_seconds: int | None = None
    forbidden: dict[str, str] = dataclasses.field(default_factory=dict)
    division_reasons: dict[int, str] = dataclasses.field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    deleted_days: int = 61
    loopback_callbacks: bool = True
    webhook_attempts: int = 10
    webhook_retry_seconds: int = 120
