"""What a reader of Exact Online's extracts sums up of each division, and what the company's books say of it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.company.model import DocumentStatus, JournalStatus
from tests.sandbox.exact_online import DIVISIONS
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sandbox.company.model import Company

_IN_THE_BOOKS = {DocumentStatus.OPEN, DocumentStatus.CLOSED}


@dataclasses.dataclass(frozen=True)
class Sums:
    """What a reader gets of one division by plain SUMs, in its currency."""

    debits: Decimal
    credits: Decimal
    payables: dict[str, Decimal]
    spend: dict[str, Decimal]

    @classmethod
    def of_extracts(cls, path_of: Callable[[str], Path], division: int) -> Sums:
        where = f"FROM {{t}} WHERE division = {division}"
        (ledger,) = query(
            path_of("transaction_lines"),
            f"SELECT SUM(ledger_debit_amount), SUM(ledger_credit_amount) {where}",
        )
        payables = query(
            path_of("payment_terms"), f"SELECT account_code, SUM(ledger_payable) {where} GROUP BY 1"
        )
        spend = query(
            path_of("purchase_entries"), f"SELECT supplier_code, SUM(ledger_amount) {where} GROUP BY 1"
        )
        return cls(ledger[0], ledger[1], _without_zeros(payables), _without_zeros(spend))

    @classmethod
    def of_company(cls, company: Company, branch: str) -> Sums:
        lines = [
            line
            for journal in company.journals.values()
            if journal.branch == branch and journal.status is JournalStatus.POSTED
            for line in journal.lines
        ]
        bills = [b for b in company.bills.values() if b.branch == branch and b.status in _IN_THE_BOOKS]
        return cls(
            sum((line.base_debit for line in lines), Decimal(0)),
            sum((line.base_credit for line in lines), Decimal(0)),
            _without_zeros([(bill.vendor, bill.base_balance * bill.type.sign) for bill in bills]),
            _without_zeros([(bill.vendor, bill.base_amount * bill.type.sign) for bill in bills]),
        )


def _without_zeros(pairs: list[Any]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for key, amount in pairs:
        sums[key] += amount
    return {key: amount for key, amount in sums.items() if amount}


def check_exact_online(path_of: Callable[[str], Path], company: Company) -> None:
    """Check plain SUMs over the extracts that `path_of(stream)` names, division by division."""
    for branch, division in DIVISIONS.items():
        assert Sums.of_extracts(path_of, division) == Sums.of_company(company, branch)
