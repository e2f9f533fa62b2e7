"""What people type: random but repeatable contents of documents and master records."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart, words
from tests.sandbox.company.ledger import Entry, Heading
from tests.sandbox.company.model import (
    Account,
    BillLine,
    BillType,
    Company,
    CostCenter,
    Customer,
    InvoiceType,
    Item,
    PurchaseOrder,
    PurchaseOrderLine,
    SalesInvoiceLine,
    Vendor,
)
from tests.sandbox.company.money import ZERO, cents, rate_on, spread
from tests.sandbox.company.orders import OrderDraft
from tests.sandbox.company.payables import BillDraft
from tests.sandbox.company.receivables import InvoiceDraft

if TYPE_CHECKING:
    import datetime as dt
    import random
    from collections.abc import Mapping, Sequence

_TAX_RATES = {
    "USD": (Decimal(0), Decimal(0), Decimal("0.0825")),
    "EUR": (Decimal("0.19"),),
    "GBP": (Decimal("0.2"),),
}
_MOST_LINES = 12
_CHART = frozenset(code for code, _, _ in chart.ACCOUNTS)


class _Purchased(NamedTuple):
    """What a purchase line is about."""

    item: str | None
    description: str
    unit: str
    unit_cost: Decimal
    account: str


class Drafter:
    """Draws the contents of documents.

    Args:
        company: Where vendors, customers and items are taken from.
        rng: The one source of chance.
    """

    def __init__(self, company: Company, rng: random.Random) -> None:
        self._company = company
        self.rng = rng
        self._pools: dict[str, list[str]] = {}

    def forget(self) -> None:
        """Look again at what is active: master records were added or changed."""
        self._pools.clear()

    def chance(self, percent: float) -> bool:
        """True in that many of a hundred cases."""
        return self.rng.random() * 100 < percent

    def vendor(self) -> Vendor:
        """An active vendor; the first ones are met far more often than the last."""
        return self._company.vendors[self._skewed(self._active("vendors"))]

    def customer(self) -> Customer:
        """An active customer, chosen like a vendor."""
        return self._company.customers[self._skewed(self._active("customers"))]

    def branch(self) -> str:
        """The code of a branch; two thirds are headquarters."""
        return "HQ" if self.chance(67) else "EAST"

    def cost_center(self) -> str:
        """The code of an active cost centre."""
        return self.rng.choice(self._active("cost_centers"))

    def bill(
        self, type_: BillType = BillType.BILL, vendor: Vendor | None = None, branch: str | None = None
    ) -> BillDraft:
        """A payables document of 1 to 12 lines."""
        of = vendor or self.vendor()
        lines = self.bill_lines()
        return BillDraft(
            type=type_,
            vendor=of.code,
            branch=branch or self.branch(),
            currency=of.currency,
            lines=lines,
            tax_amount=self.tax(of.currency, lines),
            vendor_ref=self.reference(),
            description=self._document_text(),
        )

    def nil_bill(self) -> BillDraft:
        """A bill that comes to nothing: what was charged is taken back at once."""
        of = self.vendor()
        charged, returned = self.bill_line(1), self.bill_line(2)
        returned.amount = -charged.amount
        returned.quantity = Decimal(-1)
        returned.unit_cost = returned.amount.copy_abs().quantize(Decimal("0.0001"))
        return BillDraft(
            type=BillType.BILL,
            vendor=of.code,
            branch=self.branch(),
            currency=of.currency,
            lines=[charged, returned],
            vendor_ref=self.reference(),
        )

    def bill_for_order(self, order: PurchaseOrder, lines: list[BillLine]) -> BillDraft:
        """A bill for what an order delivered."""
        return BillDraft(
            type=BillType.BILL,
            vendor=order.vendor,
            branch=order.branch,
            currency=order.currency,
            lines=lines,
            tax_amount=self.tax(order.currency, lines),
            vendor_ref=self.reference(),
            description=self._document_text(),
        )

    def bill_lines(self) -> list[BillLine]:
        """Lines numbered from 1; some are free of charge, some negative, their sum never is."""
        lines = [self.bill_line(number) for number in range(1, self._line_count() + 1)]
        gross = sum((line.amount for line in lines), ZERO)
        if len(lines) > 1 and self.chance(12):
            lines[-1] = self.discount_line(lines[-1].line_nbr, gross - lines[-1].amount)
        elif len(lines) > 1 and self.chance(6):
            last = lines[-1]
            last.description, last.unit_cost, last.amount = words.ZERO_TEXT, Decimal("0.0000"), ZERO
        return lines

    def bill_line(self, line_nbr: int) -> BillLine:
        """One line with a positive amount, of an item or of a service."""
        bought = self._purchased()
        quantity = self._quantity(bought.unit)
        return BillLine(
            line_nbr=line_nbr,
            item=bought.item,
            description=bought.description,
            quantity=quantity,
            unit=bought.unit,
            unit_cost=bought.unit_cost,
            amount=cents(quantity * bought.unit_cost),
            base_amount=ZERO,
            account=bought.account,
            cost_center=self.cost_center(),
        )

    def discount_line(self, line_nbr: int, gross: Decimal) -> BillLine:
        """A negative line: some percent of `gross`."""
        amount = -cents(gross * self.rng.choice((Decimal("0.02"), Decimal("0.05"), Decimal("0.1"))))
        return BillLine(
            line_nbr=line_nbr,
            item=None,
            description=words.DISCOUNT_TEXT,
            quantity=Decimal(1),
            unit="JOB",
            unit_cost=amount.quantize(Decimal("0.0001")),
            amount=amount,
            base_amount=ZERO,
            account=self.rng.choice(chart.PURCHASE_ACCOUNTS),
            cost_center=self.cost_center(),
        )

    def order(self) -> OrderDraft:
        """A purchase order of 1 to 12 lines."""
        of = self.vendor()
        return OrderDraft(
            vendor=of.code,
            branch=self.branch(),
            currency=of.currency,
            lines=[self.order_line(number) for number in range(1, self._line_count() + 1)],
            promised_in_days=self.rng.choice((None, 7, 14, 30)),
            vendor_ref=self.reference(),
            description=self._document_text(),
        )

    def order_line(self, line_nbr: int) -> PurchaseOrderLine:
        """One line of an order, nothing delivered yet."""
        bought = self._purchased()
        quantity = self._quantity(bought.unit).to_integral_value() + 1
        return PurchaseOrderLine(
            line_nbr=line_nbr,
            item=bought.item,
            description=bought.description,
            quantity=quantity,
            quantity_received=Decimal(0),
            unit=bought.unit,
            unit_cost=bought.unit_cost,
            amount=cents(quantity * bought.unit_cost),
            account=bought.account,
            cost_center=self.cost_center(),
        )

    def invoice(
        self,
        type_: InvoiceType = InvoiceType.INVOICE,
        customer: Customer | None = None,
        branch: str | None = None,
    ) -> InvoiceDraft:
        """A sales invoice or credit memo of 1 to 12 lines."""
        of = customer or self.customer()
        lines = [self._invoice_line(number) for number in range(1, self._line_count() + 1)]
        return InvoiceDraft(
            type=type_,
            customer=of.code,
            branch=branch or self.branch(),
            currency=of.currency,
            lines=lines,
            tax_amount=self.tax(of.currency, lines),
            customer_order=self.reference(),
            description=self._document_text(),
        )

    def warehouse(self) -> str:
        """The code of a warehouse."""
        return self.rng.choice(chart.WAREHOUSES)

    def method(self) -> str:
        """How somebody pays."""
        return self.rng.choice(("CHECK", "ACH", "WIRE"))

    def journal_entries(self, rate: Decimal) -> list[Entry]:
        """Entries of a manual journal that balances in both currencies."""
        text = self.rng.choice(words.JOURNAL_TEXTS)
        amounts = [
            cents(Decimal(self.rng.randint(1_00, 9_000_00)).scaleb(-2)) for _ in range(self._line_count())
        ]
        bases = spread(amounts, rate)
        debits = [
            Entry(
                account=self.rng.choice(chart.JOURNAL_DEBITS),
                cost_center=self.cost_center(),
                amount=amount,
                base=base,
                description=text,
            )
            for amount, base in zip(amounts, bases, strict=True)
        ]
        credit = Entry(
            account=self.rng.choice(chart.JOURNAL_CREDITS),
            amount=-sum(amounts, ZERO),
            base=-sum(bases, ZERO),
            description=text,
        )
        return [*debits, credit]

    def tax(self, currency: str, lines: Sequence[BillLine | SalesInvoiceLine]) -> Decimal:
        """Tax on the net amount, at a rate that depends on the currency."""
        net = sum((line.amount for line in lines), ZERO)
        return cents(max(net, ZERO) * self.rng.choice(_TAX_RATES[currency]))

    def reference(self) -> str | None:
        """The other party's number: missing, numeric with leading zeros, or with awkward characters."""
        number = self.rng.randint(1, 99_999)
        return self.rng.choice((None, f"{number:08d}", f"INV-{number}", f"RE {number}/26", f"№{number} & co"))

    def part_of(self, amount: Decimal) -> Decimal:
        """An amount between a tenth and nine tenths of another, at least a cent."""
        return max(cents(amount * self.rng.randint(10, 90) / 100), Decimal("0.01"))

    def delivered_part(self) -> Decimal:
        """How much of what is due a delivery brings: mostly everything."""
        return Decimal(1) if self.chance(70) else Decimal("0.5")

    def surcharge(self) -> Decimal:
        """A change of a unit price, in four decimals."""
        return Decimal(self.rng.randint(1, 99_999)).scaleb(-4)

    def manual_heading(self, today: dt.date) -> Heading:
        """The heading of a manual journal."""
        currency = self.rng.choice(("USD", "USD", "USD", "EUR", "GBP"))
        return Heading(
            module="GL",
            branch=self.branch(),
            date=today,
            currency=currency,
            rate=rate_on(self._company.seed, currency, today),
            description=self.rng.choice(words.JOURNAL_TEXTS),
        )

    def _purchased(self) -> _Purchased:
        if self.chance(40):
            item = self._item()
            account = chart.INVENTORY if item.is_stock else "500100"
            return _Purchased(item.code, item.description, item.unit, item.unit_cost, account)
        return _Purchased(
            item=None,
            description=words.EMOJI_TEXT if self.chance(0.5) else self.rng.choice(words.PURCHASE_TEXTS),
            unit=self.rng.choice(("PCS", "HOUR", "JOB")),
            unit_cost=Decimal(self.rng.randint(5_000, 9_999_999)).scaleb(-4),
            account=self.rng.choice(self._active("accounts")),
        )

    def _invoice_line(self, line_nbr: int) -> SalesInvoiceLine:
        if self.chance(65):
            item = self._item()
            code, text, unit, price = item.code, item.description, item.unit, item.unit_price
        else:
            code, text, unit = None, self.rng.choice(words.SALES_TEXTS), "JOB"
            price = Decimal(self.rng.randint(100_000, 49_999_999)).scaleb(-4)
        quantity = self._quantity(unit)
        gross = cents(quantity * price)
        discount = cents(gross * Decimal("0.05")) if self.chance(15) else ZERO
        return SalesInvoiceLine(
            line_nbr=line_nbr,
            item=code,
            description=text,
            quantity=quantity,
            unit=unit,
            unit_price=price,
            discount_amount=discount,
            amount=gross - discount,
            base_amount=ZERO,
            account=self.rng.choice(chart.SALES_ACCOUNTS),
            cost_center=self.cost_center(),
        )

    def _item(self) -> Item:
        return self._company.items[self.rng.choice(self._active("items"))]

    def _quantity(self, unit: str) -> Decimal:
        if unit in {"PCS", "CAN"}:
            return Decimal(self.rng.randint(1, 200))
        return Decimal(self.rng.randint(1, 160)) / 4

    def _line_count(self) -> int:
        return min(_MOST_LINES, 1 + int(self.rng.expovariate(0.6)))

    def _document_text(self) -> str | None:
        return self.rng.choice(words.DOCUMENT_TEXTS)

    def _active(self, table: str) -> list[str]:
        """Codes of the active records of a table; of accounts, those that purchases are booked to."""
        if table not in self._pools:
            records: Mapping[str, Account | CostCenter | Vendor | Customer | Item] = getattr(
                self._company, table
            )
            codes = [code for code, record in records.items() if record.active]
            if table == "accounts":
                codes = [code for code in codes if code in chart.PURCHASE_ACCOUNTS or code not in _CHART]
            self._pools[table] = codes
        return self._pools[table]

    def _skewed(self, codes: Sequence[str]) -> str:
        return codes[int(len(codes) * self.rng.random() ** 2)]
