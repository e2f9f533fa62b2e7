"""One version of the company with what is derived from it: reverse look-ups and balances, computed once."""

from __future__ import annotations

import collections
import functools
from typing import TYPE_CHECKING

from tests.sandbox.acumatica import wire
from tests.sandbox.acumatica.balances import HistoryRow, history_of

if TYPE_CHECKING:
    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.company.model import Application, Company, Payment


class View:
    """What the declarations of entities read from besides their own row.

    Attributes:
        company: The records. Whoever reads them holds the lock of the world.
    """

    def __init__(self, company: Company, switches: Switches) -> None:
        self.company = company
        self._switches = switches

    def period(self, code: str) -> str:
        """A fiscal period in the form that this site shows."""
        return wire.period(code, self._switches.period_style)

    @property
    def lines_follow_documents(self) -> bool:
        """Whether lines bear the stamp of their document instead of their own."""
        return self._switches.line_stamps_follow_document

    @functools.cached_property
    def applications(self) -> dict[str, list[tuple[Payment, Application]]]:
        """Bill key to the payments that settle it."""
        found: dict[str, list[tuple[Payment, Application]]] = collections.defaultdict(list)
        for payment in self.company.payments.values():
            for application in payment.applications:
                found[f"{application.type}|{application.reference_nbr}"].append((payment, application))
        return dict(found)

    @functools.cached_property
    def history(self) -> list[HistoryRow]:
        """The balances of every period with activity, in key order."""
        return history_of(self.company, carried_stamps=self._switches.history_stamps_carried)

    @functools.cached_property
    def history_by_place(self) -> dict[tuple[str, str, str], list[HistoryRow]]:
        """Branch, account and subaccount to their balances in ascending order of the period."""
        found: dict[tuple[str, str, str], list[HistoryRow]] = collections.defaultdict(list)
        for row in self.history:
            found[row.branch.code, row.account.code, row.cost_center.code].append(row)
        return dict(found)
