"""What a test can change about the sandbox's Intacct gateway."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

GRANT_FIELDS = frozenset(
    {
        "CFDA",
        "FUNDEDNAME",
        "AGENCY",
        "PAYER",
        "FUNDINGOTHERID",
        "ASSISTANCETYPE",
        "REVRESTRICTION",
        "RESTRICTIONEXPIRY",
        "RESTRICTIONEXPIRATIONDATE",
        "TIMESATISFACTIONSCHEDULED",
    }
)
UNREADABLE = frozenset({"CONTRACT", "COSTTYPE", "APPYMTENTRY", "APBILLPAYMENT"})


@dataclasses.dataclass
class Switches:
    """How this company and its gateway behave; change it at any time.

    Objects are named in upper case (`APBILL`), fields as `OBJECT.FIELD`.

    Attributes:
        time: Clock of sessions, in seconds; a test may put its own. What is printed is the company's clock.
        session_life_seconds: Life of a session from its last call on.
        session_dies_after_calls: A session is gone after so many calls (None: only by time).
        session_zone_minutes: Offset in which sessiontimestamp and sessiontimeout are printed.
        session_endpoint: What getAPISession names as endpoint instead of the gateway's own second path.
        sender_authorized: The company has the sender among its Web Services authorizations.
        needs_login: The authorization says "Needs login for API": calls by session all fail.
        company_state: "expired" and "unauthorized" refuse every call, as for a lapsed demo company or one
            without the Web Services subscription.
        lock_after_failures: So many wrong passwords in a row lock the user.
        concurrency_limit: Requests in flight at once; a further one waits.
        concurrency_wait_seconds: How long it waits before it is refused (GW-0010).
        forbidden_objects: Objects the user may not read (PL04000005); `AUDITHISTORY` is refused in other words.
        unreadable_objects: Objects that lookup describes and nothing reads (not subscribed, not queryable).
        unqueryable_fields: Object to fields that lookup lists and query refuses.
        unordered: Without `orderby` every query gives its rows in another order.
        broken_offset: A query with a greater offset fails (DL02000001); None: none does.
        broken_span_days: A query on a view (GLDETAIL) whose WHENMODIFIED bounds lie further apart, or that has
            none, fails (DL02000001); None: none does.
        null_when_modified: Objects on which WHENMODIFIED is empty in about half of the rows that were never
            changed after their creation; "*" means all.
        date_only_stamps: TIMESTAMP fields that come with the date only.
        float_integers: INTEGER fields that come with a decimal point.
        zone_minutes: Offset of the user's zone, in which stamps are printed and filter values are read.
        audit_zone: Whether AUDITHISTORY.ACCESSTIME follows the user's zone or is GMT whatever it is.
        creation_zone: The same for AUWHENCREATED.
        user_formatting: What readUserFormatting answers: the zone in use, a zone that is not (the answer says
            -08:00 whatever `zone_minutes` is), or a refusal.
        date_format: `dateformat` of readUserFormatting; the XML API does not follow it.
        late_minutes: About a quarter of the rows can be seen only when their stamp is older than this.
        payments_touch_bills: A payment moves WHENMODIFIED of the bills it settles.
        private_entities: Codes of entities whose records need `showprivate`.
        drafts_in_detail: GLDETAIL shows entries that are not posted, with BATCH_STATE and ENTRY_STATE.
        statistical_entries: GLDETAIL also has rows of statistical accounts.
        detail_amount_signed: GLDETAIL.AMOUNT is negative for credits; False: it never is.
        detail_keys_shared: A posting has the same GLDETAIL.RECORDNO in every book.
        text_keys_compare: How `<` and `>` compare a RECORDNO of type TEXT.
        audit_key_style: OBJECTKEY as `12`, as `12--REC`, or now this and now that.
        audit_since: Nothing older than this many days is in AUDITHISTORY (None: everything is).
        audit_accesses: AUDITHISTORY also tells of creations and changes, not only of deletions.
        late_audit_minutes: Deletions can be seen in AUDITHISTORY only when they are older than this.
        multi_currency_balances: GLACCOUNTBALANCE is refused without a location filter or an entity login.
        control_characters: How a character that XML does not know comes in `VENDOR.COMMENTS`.
        aggregate_names: Element of an aggregate: `COUNT.RECORDNO`, or the bare field name.
        failure_has_message: A failed result holds an errormessage.
        error_details: What `showadditionalerrorinfo` asks for is sent.
        disabled_dimensions: Dimensions that the company does not use: no ID, NAME and DIMKEY columns for them.
        unknown_datatype: DATATYPE that lookup gives for `VENDOR.RETAINAGEPERCENTAGE` instead of PERCENT.
    """

    time: Callable[[], float] = time.monotonic
    session_life_seconds: int = 6 * 3600
    session_dies_after_calls: int | None = None
    session_zone_minutes: int = 0
    session_endpoint: str | None = None
    sender_authorized: bool = True
    needs_login: bool = False
    company_state: Literal["active", "expired", "unauthorized"] = "active"
    lock_after_failures: int = 5
    concurrency_limit: int = 2
    concurrency_wait_seconds: float = 30
    forbidden_objects: frozenset[str] = frozenset()
    unreadable_objects: frozenset[str] = UNREADABLE
    unqueryable_fields: dict[str, frozenset[str]] = dataclasses.field(
        default_factory=lambda: {"PROJECT": GRANT_FIELDS}
    )
    unordered: bool = True
    broken_offset: int | None = None
    broken_span_days: int | None = None
    null_when_modified: frozenset[str] = frozenset({"*"})
    date_only_stamps: frozenset[str] = frozenset({"GLBATCH.MODIFIED"})
    float_integers: frozenset[str] = frozenset({"VENDOR.DEFAULT_LEAD_TIME", "APTERM.DUEDATE"})
    zone_minutes: int = 0
    audit_zone: Literal["user", "GMT"] = "user"
    creation_zone: Literal["user", "GMT"] = "user"
    user_formatting: Literal["true", "wrong", "refused"] = "true"
    date_format: str = "/mdY"
    late_minutes: int = 0
    payments_touch_bills: bool = True
    private_entities: frozenset[str] = frozenset({"EAST"})
    drafts_in_detail: bool = True
    statistical_entries: bool = False
    detail_amount_signed: bool = True
    detail_keys_shared: bool = True
    text_keys_compare: Literal["text", "number"] = "text"
    audit_key_style: Literal["mixed", "plain", "rec"] = "mixed"
    audit_since: int | None = None
    audit_accesses: bool = True
    late_audit_minutes: int = 0
    multi_currency_balances: bool = False
    control_characters: Literal["", "raw", "reference"] = ""
    aggregate_names: Literal["dotted", "plain"] = "dotted"
    failure_has_message: bool = True
    error_details: bool = True
    disabled_dimensions: frozenset[str] = frozenset()
    unknown_datatype: str = ""
