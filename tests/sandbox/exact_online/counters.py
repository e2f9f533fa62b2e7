"""What the site counted, for tests to assert on."""

from __future__ import annotations

import dataclasses
from collections import Counter


@dataclasses.dataclass
class Counters:
    """Everything that was asked and refused since the site came up.

    Attributes:
        calls: Division to calls that counted against its quotas.
        calls_by_minute: (division, minute since 1970) to such calls.
        calls_by_day: (division, day since 1970) to such calls.
        calls_by_endpoint: (division, endpoint) to such calls.
        errors: (division, endpoint, hour since 1970) to answers of 400, 401, 403 and 404; division 0 and endpoint
            `oauth2/token` stand for the token endpoint.
        refused_by_minute: 429 because of the minute's quota.
        refused_by_day: 429 because of the day's quota.
        blocked: How often the key was blocked.
        refused_while_blocked: Calls that came while it was.
        unauthorized: Calls with a missing, dead or unknown access token.
        tokens_issued: Pairs handed out.
        token_calls: Calls of the token endpoint.
        refreshed_too_early: Refreshes before their time.
        reused_refresh_tokens: Refreshes with a token that was used before.
        chains_revoked: How often a chain of tokens ended by reuse.
        overlaps: (division) to requests that began while another one for it was under way.
        largest_overlap: Most requests of one division that were under way when another one began.
        without_json: Calls that did not ask for JSON.
        writes: POST, PUT and DELETE on anything but webhook subscriptions.
    """

    calls: Counter[int] = dataclasses.field(default_factory=Counter)
    calls_by_minute: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    calls_by_day: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    calls_by_endpoint: Counter[tuple[int, str]] = dataclasses.field(default_factory=Counter)
    errors: Counter[tuple[int, str, int]] = dataclasses.field(default_factory=Counter)
    refused_by_minute: int = 0
    refused_by_day: int = 0
    blocked: int = 0
    refused_while_blocked: int = 0
    unauthorized: int = 0
    tokens_issued: int = 0
    token_calls: int = 0
    refreshed_too_early: int = 0
    reused_refresh_tokens: int = 0
    chains_revoked: int = 0
    overlaps: Counter[int] = dataclasses.field(default_factory=Counter)
    largest_overlap: int = 0
    without_json: int = 0
    writes: int = 0
