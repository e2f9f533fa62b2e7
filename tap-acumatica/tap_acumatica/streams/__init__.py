"""The streams of the tap, one line of a table each.

To add a stream of the contract API, add an `Entity` here: its name, the entity, its natural key. Fields, types
and the cursor come from the instance's own description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_acumatica.streams import balances
from tap_acumatica.streams.amounts import (
    BILL_LINES,
    BILLS,
    JOURNAL_LINES,
    PAYMENTS,
    PURCHASE_ORDERS,
)
from tap_acumatica.streams.documents import Entity, Lines

if TYPE_CHECKING:
    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.streams.stream import AcumaticaStream
    from tap_acumatica.tap import TapAcumatica

__all__ = ["ENTITIES", "entities", "streams_of"]

# fmt: off
ENTITIES: Final = (
    Entity("ap_payments", "Check", ("Type", "ReferenceNbr"), amounts=PAYMENTS, deletions="APRegister", lines=Lines(
        "ap_payment_applications", ("Details", "History"),
        ("doc_type", "doc_reference_nbr", "doc_line_nbr", "application_nbr"), ordinal="application_nbr",
        rename=(("reference_nbr", "doc_reference_nbr"),),
        carry=("Vendor", "ApplicationDate", "CurrencyID", "Status"))),
    Entity("bills", "Bill", ("Type", "ReferenceNbr"), amounts=BILLS, deletions="APRegister", lines=Lines(
        "bill_lines", ("Details",), ("line_nbr",), hidden_number="Transactions.LineNbr", amounts=BILL_LINES,
        carry=("Vendor", "Date", "PostPeriod", "CurrencyID", "Status"))),
    Entity("cost_centers", "Subaccount", ("SubaccountCD",), segmented="subaccount_cd"),
    Entity("gl_accounts", "Account", ("AccountCD",)),
    Entity("journal_transactions", "JournalTransaction", ("Module", "BatchNbr"), deletions="Batch", lines=Lines(
        "journal_lines", ("Details",), ("line_nbr",), amounts=JOURNAL_LINES,
        carry=("LedgerID", "TransactionDate", "PostPeriod", "CurrencyID", "Status"))),
    Entity("purchase_orders", "PurchaseOrder", ("Type", "OrderNbr"), amounts=PURCHASE_ORDERS, deletions="POOrder",
        lines=Lines("purchase_order_lines", ("Details",), ("line_nbr",),
        carry=("VendorID", "Date", "CurrencyID", "Status"))),
    Entity("vendors", "Vendor", ("VendorID",), links=("MainContact", "MainContact/Address")),
)
# fmt: on


def entities() -> list[str]:
    """The entities whose fields must be known."""
    return [entity.entity for entity in ENTITIES]


def streams_of(tap: TapAcumatica, endpoint: Endpoint) -> list[AcumaticaStream]:
    """All streams that the endpoint offers."""
    streams = list(balances.feed_of(tap).streams)
    for entity in ENTITIES:
        feed = entity.feed(tap, endpoint)
        if feed is None:
            tap.logger.warning("%s: the endpoint has no entity %s; left out", entity.stream, entity.entity)
        else:
            streams += feed.streams
    return streams
