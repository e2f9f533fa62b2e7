"""What a test can change about the sandbox's Acumatica site."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

TRACKED_DACS = frozenset(
    {
        "APRegister",
        "APInvoice",
        "APPayment",
        "ARRegister",
        "ARInvoice",
        "ARPayment",
        "Batch",
        "POOrder",
        "POReceipt",
        "SOOrder",
        "Vendor",
        "Customer",
    }
)


@dataclasses.dataclass
class Switches:
    """How this site behaves; change it at any time.

    Entities are named as in the contract API (`Bill`), forms by screen (`AP301000`), DACs by short name.

    Attributes:
        time: Clock of tokens, idle sessions and bursts, in seconds; a test may put its own.
        seat_limit: Sessions that may be open at once (licence: "web-services API users").
        seat_answer: What a caller without a seat gets: 500 `API Login Limit`, or 429 in plain text.
        token_life_seconds: Life of an access token.
        token_dies_after_calls: An access token is refused after so many API calls (None: only by time).
        refresh_rotates: Every refresh gives a new refresh token and the old one dies.
        refresh_chain_seconds: Life of a chain of refresh tokens from its first sign-in.
        cookie_idle_seconds: A cookie session that rests longer is gone.
        lock_after_failures: So many wrong passwords in a row lock the user.
        multi_tenant: False: a site with one tenant, which takes any tenant name.
        tenant_required: Sign-in without a tenant is refused; False: it means the first tenant.
        offer_contract_5: `Default/26.200.001` is served too.
        bare_endpoint_list: `GET /entity` answers with a bare array, as older builds do.
        unknown_version_body: Body of the 404 for an unknown endpoint, version or entity.
        broken_endpoint: Calls to the custom endpoint `Meridian` answer 500, or 302 to an HTML page.
        user_locale: Language of drop-down labels for OAuth sessions and for logins that name none.
        rest_zone_minutes: Offset in which contract REST prints stamps.
        user_zone_minutes: Offset of the user's zone: DAC OData prints it, literals without offset are read in it.
        period_style: How contract REST shows `PostPeriod`.
        note_form: How an empty note looks: an object, a string or null.
        twin_detail_ids: All details of a record carry the same `id` and `rowNumber`.
        forbidden_forms: Forms that nobody may open (403).
        missing_setup: Entities whose module is not set up (500, PXSetupNotEnteredException).
        cannot_optimize: Entity to the fields, collections or "$custom" that its list cannot be compiled with.
        dead_filters: Entities on whose lists a filter on other than key fields silently finds nothing.
        select_ignored: Entities on whose lists `$select` has no effect.
        select_broken: Entities on whose lists `$select` answers 500.
        fields_to_come: User-defined fields that no customisation has added yet; contract REST does not know them.
        calls_per_second: API calls beyond so many within one second are declined with 429 (None: no limit).
        forbidden_dacs: DACs that the role may not read (403).
        dac_page_limit: DAC lists end after so many rows with an `@odata.nextLink` (None: no limit).
        new_odata_url: `/t/{tenant}/api/odata/dac/` and `…/gi/` are served (2024 R2 and later).
        legacy_odata_url: `/odatav4/{tenant}/` and, for generic inquiries, `/odata/{tenant}/` are served.
        history_has_stamp: `GLHistory` has `LastModifiedDateTime`.
        history_stamps_carried: A posting into an earlier period also moves the stamp of later balances.
        line_stamps_follow_document: `APTran` rows move with everything that moves their bill; False: a payment
            of the bill leaves them alone, as their table is not touched by it.
        inquiry_order_is_loose: Without `$orderby`, generic inquiries give the rows of a later page in another order.
        inquiry_decimals_as_text: Generic inquiries write decimals as strings.
        tracked_dacs: DACs registered for the tracking of deleted records; the others refuse the question.
        deletion_retention_days: How long deletions are remembered, on the company's clock.
    """

    time: Callable[[], float] = time.monotonic
    seat_limit: int = 3
    seat_answer: Literal[500, 429] = 500
    token_life_seconds: int = 3600
    token_dies_after_calls: int | None = None
    refresh_rotates: bool = True
    refresh_chain_seconds: int = 30 * 24 * 3600
    cookie_idle_seconds: int = 600
    lock_after_failures: int = 5
    multi_tenant: bool = True
    tenant_required: bool = True
    offer_contract_5: bool = False
    bare_endpoint_list: bool = False
    unknown_version_body: Literal["json", "html", "empty"] = "json"
    broken_endpoint: Literal["", "500", "302"] = ""
    user_locale: str = "en-US"
    rest_zone_minutes: int = 0
    user_zone_minutes: int = 120
    period_style: Literal["MMYYYY", "MM-YYYY"] = "MMYYYY"
    note_form: Literal["object", "string", "null"] = "object"
    twin_detail_ids: bool = False
    forbidden_forms: frozenset[str] = frozenset()
    missing_setup: frozenset[str] = frozenset()
    cannot_optimize: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    dead_filters: frozenset[str] = frozenset()
    select_ignored: frozenset[str] = frozenset({"JournalTransaction"})
    select_broken: frozenset[str] = frozenset({"Payment"})
    fields_to_come: frozenset[str] = frozenset()
    calls_per_second: int | None = None
    forbidden_dacs: frozenset[str] = frozenset()
    dac_page_limit: int | None = None
    new_odata_url: bool = True
    legacy_odata_url: bool = True
    history_has_stamp: bool = True
    history_stamps_carried: bool = True
    line_stamps_follow_document: bool = False
    inquiry_order_is_loose: bool = True
    inquiry_decimals_as_text: bool = False
    tracked_dacs: frozenset[str] = TRACKED_DACS
    deletion_retention_days: int = 10
