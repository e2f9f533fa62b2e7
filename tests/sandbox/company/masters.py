"""Master records: vendors, customers, items, accounts and cost centres."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company import chart, words
from tests.sandbox.company.customs import attribute_values, custom_values
from tests.sandbox.company.model import (
    Account,
    AccountType,
    Branch,
    CostCenter,
    CostCode,
    Currency,
    Customer,
    Item,
    Project,
    Terms,
    Vendor,
    Warehouse,
)

if TYPE_CHECKING:
    from tests.sandbox.company.drafts import Drafter
    from tests.sandbox.company.model import Address
    from tests.sandbox.company.registry import Registry
    from tests.sandbox.company.stockroom import Stockroom

_CLASSES = ("LOCAL", "FOREIGN", "SERVICE")
_CURRENCIES = (
    "USD",
    "USD",
    "EUR",
    "USD",
    "GBP",
    "EUR",
    "USD",
)  # in turn, for the first partners are met most


class Masters:
    """Creates master records, each with the next number of its kind."""

    def __init__(self, registry: Registry, drafter: Drafter, stockroom: Stockroom) -> None:
        self._registry = registry
        self._stockroom = stockroom
        self._drafter = drafter
        self._company = registry.company

    def fixed(self) -> None:
        """Create what every company starts with."""
        for branch_id, (code, name, country) in enumerate(chart.BRANCHES, start=16):
            stamps = self._registry.stamps("branches", code)
            branch = Branch(**stamps, branch_id=branch_id, code=code, name=name, country=country)
            self._registry.insert(self._company.branches, code, branch)
        for code, description, days in chart.TERMS:
            terms = Terms(
                **self._registry.stamps("terms", code), code=code, description=description, days=days
            )
            self._registry.insert(self._company.terms, code, terms)
        for code, name, type_ in chart.ACCOUNTS:
            self.account(code, name, type_)
        for code, name in chart.COST_CENTERS:
            self.cost_center(code, name)
        self._fixed_trade()
        for fixed_item in words.ITEMS:
            self.item(fixed_item)

    def _fixed_trade(self) -> None:
        stamps, insert = self._registry.stamps, self._registry.insert
        for code, name, symbol, precision in chart.CURRENCIES:
            currency = Currency(
                **stamps("currencies", code), code=code, name=name, symbol=symbol, precision=precision
            )
            insert(self._company.currencies, code, currency)
        for warehouse_id, code in enumerate(chart.WAREHOUSES, start=154):
            name = chart.WAREHOUSE_NAMES[code]
            warehouse = Warehouse(
                **stamps("warehouses", code), warehouse_id=warehouse_id, code=code, name=name
            )
            insert(self._company.warehouses, code, warehouse)
        for code, name in chart.PROJECTS:
            self.project(code, name, None)
        for code, name in chart.COST_CODES:
            cost_code = CostCode(
                **stamps("cost_codes", code),
                cost_code_id=self._registry.next_number("cost_codes"),
                code=code,
                name=name,
            )
            insert(self._company.cost_codes, code, cost_code)

    def project(self, code: str, name: str, customer: str | None) -> Project:
        """Create a project, for a customer or of the company's own."""
        project = Project(
            **self._registry.stamps("projects", code),
            project_id=self._registry.next_number("projects"),
            code=code,
            name=name,
            customer=customer,
        )
        return self._registry.insert(self._company.projects, code, project)

    def account(self, code: str, name: str, type_: AccountType) -> Account:
        """Create a GL account."""
        account = Account(
            **self._registry.stamps("accounts", code),
            account_id=self._registry.next_number("accounts"),
            code=code,
            name=name,
            type=type_,
            is_cash=code in chart.CASH_ACCOUNTS,
            active=code not in chart.INACTIVE_ACCOUNTS,
        )
        return self._registry.insert(self._company.accounts, code, account)

    def cost_center(self, code: str, name: str) -> CostCenter:
        """Create a cost centre."""
        cost_center = CostCenter(
            **self._registry.stamps("cost_centers", code),
            cost_center_id=self._registry.next_number("cost_centers"),
            code=code,
            name=name,
        )
        return self._registry.insert(self._company.cost_centers, code, cost_center)

    def vendor(self) -> Vendor:
        """Create a vendor; most have codes like V00012, every tenth one is all digits with leading zeros."""
        number = self._registry.next_number("vendors")
        code = f"{number:09d}" if number % 10 == 0 else f"V{number:05d}"
        rng = self._drafter.rng
        currency = _CURRENCIES[number % len(_CURRENCIES)]
        vendor = Vendor(
            **self._registry.stamps("vendors", code),
            vendor_id=number,
            code=code,
            name=self._name(words.VENDOR_NAMES, number),
            vendor_class=rng.choice(_CLASSES),
            currency=currency,
            terms=rng.choice(chart.TERMS)[0],
            email=self._email(number),
            phone=self._phone(),
            tax_id=self._tax_id(),
            address=self._address(currency),
            active=number % 17 != 0,
        )
        vendor.custom = custom_values(vendor.note_id)
        vendor.attributes = attribute_values(vendor.note_id, "vendors")
        return self._registry.insert(self._company.vendors, code, vendor)

    def customer(self) -> Customer:
        """Create a customer."""
        number = self._registry.next_number("customers")
        code = f"{number:09d}" if number % 10 == 0 else f"C{number:05d}"
        rng = self._drafter.rng
        currency = _CURRENCIES[number % len(_CURRENCIES)]
        customer = Customer(
            **self._registry.stamps("customers", code),
            customer_id=number,
            code=code,
            name=self._name(words.CUSTOMER_NAMES, number),
            customer_class=rng.choice(_CLASSES),
            currency=currency,
            terms=rng.choice(chart.TERMS)[0],
            email=self._email(number),
            phone=self._phone(),
            tax_id=self._tax_id(),
            credit_limit=Decimal(rng.choice((0, 5_000, 25_000, 100_000))).quantize(Decimal("0.01")),
            address=self._address(currency),
            active=number % 17 != 0,
        )
        customer.attributes = attribute_values(customer.note_id, "customers")
        return self._registry.insert(self._company.customers, code, customer)

    def item(self, fixed: tuple[str, str, bool, str, str, str] | None = None) -> Item:
        """Create an item: a given one, or a spare part that nobody has heard of."""
        number = self._registry.next_number("items")
        code, description, is_stock, unit, cost, price = fixed or self._spare_part(number)
        on_hand = {house: self._quantity() for house in chart.WAREHOUSES} if is_stock else {}
        item = Item(
            **self._registry.stamps("items", code),
            item_id=number,
            code=code,
            description=description,
            is_stock=is_stock,
            unit=unit,
            unit_cost=Decimal(cost),
            unit_price=Decimal(price),
        )
        item.attributes = attribute_values(item.note_id, "items")
        for warehouse, quantity in on_hand.items():
            self._stockroom.open(code, warehouse, quantity)
        return self._registry.insert(self._company.items, code, item)

    def _spare_part(self, number: int) -> tuple[str, str, bool, str, str, str]:
        cost = Decimal(self._drafter.rng.randint(100, 9_999_999)).scaleb(-4)
        price = (cost * Decimal("1.6")).quantize(Decimal("0.0001"))
        trade = self._drafter.rng.choice(words.TRADES)
        return f"{number:06d}", f"{trade} part {number} <spare>", True, "PCS", str(cost), str(price)

    def _quantity(self) -> Decimal:
        return Decimal(self._drafter.rng.randint(0, 4_000)) / 4

    def _name(self, known: tuple[str, ...], number: int) -> str:
        if number <= len(known):
            return known[number - 1]
        rng = self._drafter.rng
        surname, trade, form = (
            rng.choice(part) for part in (words.SURNAMES, words.TRADES, words.LEGAL_FORMS)
        )
        return f"{surname} {trade} {form}"

    def _address(self, currency: str) -> Address:
        return self._drafter.rng.choice(words.ADDRESSES[currency])

    def _email(self, number: int) -> str | None:
        return None if self._drafter.chance(20) else f"billing+{number}@example.com"

    def _phone(self) -> str | None:
        return None if self._drafter.chance(20) else f"+49 {self._drafter.rng.randint(0, 99_999_999):08d}"

    def _tax_id(self) -> str | None:
        return None if self._drafter.chance(30) else f"{self._drafter.rng.randint(0, 9_999_999):011d}"
