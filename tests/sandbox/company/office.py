"""The desks of the company, opened together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.company.drafts_sales import SalesDrafter
from tests.sandbox.company.ledger import Ledger
from tests.sandbox.company.masters import Masters
from tests.sandbox.company.orders import Purchasing
from tests.sandbox.company.payables import Payables
from tests.sandbox.company.receivables import Receivables
from tests.sandbox.company.receiving import Receiving
from tests.sandbox.company.registry import Registry
from tests.sandbox.company.selling import Selling
from tests.sandbox.company.stockroom import Stockroom

if TYPE_CHECKING:
    import random

    from tests.sandbox.company.model import Company


class Office:
    """Everybody who may write into the company.

    Args:
        company: The company written to.
        rng: The one source of chance.
        in_order: As for `Registry`.
    """

    def __init__(self, company: Company, rng: random.Random, *, in_order: bool = True) -> None:
        self.company = company
        self.registry = Registry(company, in_order=in_order)
        self.ledger = Ledger(self.registry)
        self.payables = Payables(self.registry, self.ledger)
        self.receivables = Receivables(self.registry, self.ledger)
        self.stockroom = Stockroom(self.registry)
        self.purchasing = Purchasing(self.registry)
        self.receiving = Receiving(self.registry, self.purchasing, self.stockroom)
        self.selling = Selling(self.registry, self.stockroom)
        self.drafter = SalesDrafter(company, rng)
        self.masters = Masters(self.registry, self.drafter, self.stockroom)
