"""What a reader of the SYSPRO extracts would sum up, and what the company's books say of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.books import books_of
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.sandbox.company.model import Company


def _by(path: Path, column: str, group: str) -> dict[str, Decimal]:
    rows = query(path, f"SELECT {group}, SUM({column}) FROM {{t}} GROUP BY {group}")
    return {key: value for key, value in rows if value}


def _expected(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Codes of digits alone are filled with zeros to fifteen."""
    return {key.zfill(15) if key.isdecimal() else key: value for key, value in sums.items() if value}


def check_syspro(path_of: Callable[[str], Path], company: Company) -> None:
    """Check plain SUMs over the extracts that `path_of(stream)` names."""
    books = books_of(company)
    (ledger,) = query(
        path_of("gen_transaction"),
        "SELECT SUM(ledger_debit_amount), SUM(ledger_credit_amount) FROM {t}",
    )
    assert tuple(ledger) == (books.debits, books.credits)
    net = {account: turnover.net for account, turnover in books.by_account.items() if turnover.net}
    assert _by(path_of("gen_transaction"), "entry_value", "segment_account") == net
    spend = _by(path_of("ap_invoice"), "ledger_amount", "supplier")
    assert spend == _expected(books.spend_by_vendor)
    sales = _by(path_of("ar_trn_summary"), "ledger_amount", "customer")
    assert sales == _expected(books.sales_by_customer)
    # A part-paid document in foreign currency may differ by a cent: the rate is applied to what is left of it.
    for stream, column, expected in (
        ("ap_invoice", "supplier", books.open_payables_by_vendor),
        ("ar_invoice", "customer", books.open_receivables_by_customer),
    ):
        found, wanted = _by(path_of(stream), "ledger_balance", column), _expected(expected)
        for key in {*found, *wanted}:
            assert abs(found.get(key, Decimal(0)) - wanted.get(key, Decimal(0))) <= Decimal("0.05"), key
    (orders,) = query(path_of("por_master_hdr"), "SELECT COUNT(*) FROM {t}")
    assert orders[0] == len(company.purchase_orders)
    lines = query(path_of("por_master_detail"), "SELECT COUNT(*) FROM {t}")
    assert lines[0][0] == sum(len(order.lines) for order in company.purchase_orders.values())
