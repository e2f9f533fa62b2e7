"""What a test can change about the sandbox's SYSPRO site: every unknown of its interfaces, and its moods."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

CONDITIONS = frozenset({"EQ", "NE", "GT", "GE", "LT", "LE", "LIKE"})


@dataclasses.dataclass
class Switches:
    """How this site behaves; change it at any time.

    Attributes:
        time: Clock of sessions, in seconds; a test may put its own.

        odata_auth: What OData asks for: Basic (as documented), an e.net session id, or both.
        session_in: Where OData looks for the session id.
        session_name: Name of that header or query parameter.
        session_opens_all_companies: A session of one company is good for the OData of the others too.
        session_refusal: What a missing or dead session id is answered with: 401, 403, or the text of e.net with 200.
        operator_loaded: False: the OData service has not loaded the operator yet (401 whatever the password).
        company_in: Where the company stands in an OData address: a path segment, or `?company=`.
        set_names: Case of entity-set names.
        plus_tables: Custom-form tables, `ApSupplier+`: left out, renamed to `ApSupplierPlus`, or listed as they are
            with an address that IIS refuses.
        missing_sets: Tables that this site does not have, on either interface.
        forbidden_sets: Entity sets that the SQL login may not read (403).
        changes_view: A view with `RowVer`, the row version as a number, is published: `ApInvoiceChanges`.
        keys_in_metadata: Entity types of tables declare their key.
        max_top: Largest `$top`.
        beyond_max_top: A larger `$top` is refused with 400, or silently cut.
        row_cap: Rows per response.
        next_link: Whether a response without `$top` that was cut tells where to go on, and how.
        count_supported: False: `$count` is refused with 400.
        key_filters_supported: False: filters with `or` are refused with 400.
        max_filter_nodes: Larger filter expressions are refused with 400 (None: no limit).
        date_form: How dates are typed and written: DateTimeOffset in UTC or in the server's zone (+02:00), or Date.
        time_stamp: `TimeStamp` as Edm.Binary in base64 or base64url, as a number that can be filtered, or not shown.
        integers_with_point: Columns without decimals are written `2024.0`.
        decimals_as_text: Decimals are JSON strings, even if `IEEE754Compatible` was not asked for.
        gzip: Responses are compressed for clients that accept it.
        shuffled: Rows come in another order each time unless `$orderby` names the whole key.
        max_query_bytes: Longer query strings are answered with an HTML 404 (IIS 404.15).
        skip_ignored: `$skip` has no effect.
        filter_ignored: `$filter` is read but has no effect.
        orders_padded_with_blanks: Order numbers have blanks on the left instead of zeros, as in old databases.
        divided_currencies: Currencies whose rate is foreign currency per unit of local currency (MulDiv `D`).
        gl_in_first_company: The ledger tables of the first company hold the GL of all companies.
        purged_before: Ledger rows of earlier days, and documents settled in earlier periods, have been purged.

        company_passwords: Company to its password, where it has one.
        enet_version: Answer of `GetVersion`.
        enet_wrapping: Bodies as they are, as a JSON string, or inside a serialized `<string>`.
        utilities_paths: Logon and Logoff stand below `/Utilities/` only, as a proxy may have it.
        session_dies_after_calls: A session is gone after so many calls (None: only by time).
        session_idle_seconds: A session that rests longer is gone.
        licensed_objects: Business objects that the operator may use; the others answer e.net exception 100000.
        comfnd_max_rows: COMFND gives no more rows than this, whatever `ReturnRows` asks for.
        comfnd_conditions: Conditions that COMFND understands.
        unknown_condition: What it does with others: an error, or as if they had not been written.
        comfnd_order_ignored: COMFND ignores `OrderBy` and answers in no order.
        hidden_columns: Table to columns that the operator may not see: their elements are left out.
        null_date: How COMFND writes an empty date.
        lowercase_elements: Element names come back in lower case.
        enet_utf8: The bytes are UTF-8 whatever the XML declaration says.
        control_characters: Descriptions hold a character that XML does not allow.
    """

    time: Callable[[], float] = time.monotonic

    odata_auth: Literal["basic", "session", "basic+session"] = "basic"
    session_in: Literal["header", "query"] = "header"
    session_name: str = "UserId"
    session_opens_all_companies: bool = False
    session_refusal: Literal["401", "403", "text"] = "401"
    operator_loaded: bool = True
    company_in: Literal["path", "query"] = "path"
    set_names: Literal["exact", "lower", "upper"] = "exact"
    plus_tables: Literal["omitted", "renamed", "listed"] = "omitted"
    missing_sets: frozenset[str] = frozenset()
    forbidden_sets: frozenset[str] = frozenset()
    changes_view: bool = False
    keys_in_metadata: bool = True
    max_top: int = 5000
    beyond_max_top: Literal["refused", "cut"] = "refused"
    row_cap: int = 5000
    next_link: Literal["off", "absolute", "relative", "internal_host"] = "off"
    count_supported: bool = True
    key_filters_supported: bool = True
    max_filter_nodes: int | None = None
    date_form: Literal["utc", "offset", "date"] = "utc"
    time_stamp: Literal["base64", "base64url", "number", "absent"] = "base64"
    integers_with_point: bool = False
    decimals_as_text: bool = False
    gzip: bool = True
    shuffled: bool = True
    max_query_bytes: int = 2048
    skip_ignored: bool = False
    filter_ignored: bool = False
    orders_padded_with_blanks: bool = False
    divided_currencies: frozenset[str] = frozenset()
    gl_in_first_company: bool = False
    purged_before: dt.date | None = None

    company_passwords: dict[str, str] = dataclasses.field(default_factory=dict)
    enet_version: str = "8.0.0.031"
    enet_wrapping: Literal["plain", "json", "string"] = "plain"
    utilities_paths: bool = False
    session_dies_after_calls: int | None = None
    session_idle_seconds: float = 900
    licensed_objects: frozenset[str] = frozenset({"COMFND", "COMBRW", "COMFCH"})
    comfnd_max_rows: int = 5000
    comfnd_conditions: frozenset[str] = CONDITIONS
    unknown_condition: Literal["error", "ignored"] = "error"
    comfnd_order_ignored: bool = False
    hidden_columns: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    null_date: Literal["zeros", "empty"] = "zeros"
    lowercase_elements: bool = False
    enet_utf8: bool = False
    control_characters: bool = False
