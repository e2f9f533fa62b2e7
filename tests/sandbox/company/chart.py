"""The fixed part of every company: chart of accounts, cost centres, terms, branches and special accounts."""

from __future__ import annotations

from typing import NamedTuple

from tests.sandbox.company.model import AccountType


class Attribute(NamedTuple):
    """A class attribute. Without `values` it takes any text; else it is a list of codes with their labels."""

    code: str
    description: str
    required: bool
    values: dict[str, str]


BASE_CURRENCY = "USD"
COMPANY_NAME = "Müller, O'Brien & Søn GmbH"

ACCOUNTS_PAYABLE = "020000"  # control account: only AP journals touch it
ACCOUNTS_RECEIVABLE = "011000"  # control account: only AR journals touch it
INVENTORY = "012000"
INPUT_TAX = "014000"
OUTPUT_TAX = "021000"
CAPITAL = "030100"
RETAINED_EARNINGS = "032000"  # no journal touches it: it takes the result of closed years
EXCHANGE_GAIN = "480100"
EXCHANGE_LOSS = "690100"
CASH = {"USD": "010100", "EUR": "010110", "GBP": "010120"}
NO_COST_CENTER = "000000"

ACCOUNTS: tuple[tuple[str, str, AccountType], ...] = (
    ("010100", "Operating Account - First National", AccountType.ASSET),
    ("010110", "Girokonto EUR (Sparkasse Köln)", AccountType.ASSET),
    ("010120", "Current Account GBP", AccountType.ASSET),
    ("010200", "Petty Cash, Front Office", AccountType.ASSET),
    (ACCOUNTS_RECEIVABLE, "Accounts Receivable", AccountType.ASSET),
    ("011900", "Allowance for Doubtful Accounts", AccountType.ASSET),
    (INVENTORY, "Inventory", AccountType.ASSET),
    ("012500", "Goods in Transit", AccountType.ASSET),
    ("013000", "Prepaid Expenses", AccountType.ASSET),
    ("013100", 'Prepaid Insurance "D&O"', AccountType.ASSET),
    (INPUT_TAX, "Input Tax / Vorsteuer", AccountType.ASSET),
    ("015000", "Machinery & Equipment", AccountType.ASSET),
    ("015100", "Office Furniture", AccountType.ASSET),
    ("015200", "Vehicles", AccountType.ASSET),
    ("015900", "Accumulated Depreciation", AccountType.ASSET),
    (ACCOUNTS_PAYABLE, "Accounts Payable", AccountType.LIABILITY),
    ("020500", "Goods Received, Not Invoiced", AccountType.LIABILITY),
    (OUTPUT_TAX, "Output Tax / Umsatzsteuer", AccountType.LIABILITY),
    ("021500", "Payroll Tax Payable", AccountType.LIABILITY),
    ("022000", "Accrued Liabilities", AccountType.LIABILITY),
    ("022100", "Accrued Wages", AccountType.LIABILITY),
    ("025000", "Bank Loan; due < 1 year", AccountType.LIABILITY),
    ("026000", "Long-term Loan", AccountType.LIABILITY),
    (CAPITAL, "Share Capital", AccountType.EQUITY),
    (RETAINED_EARNINGS, "Retained Earnings", AccountType.EQUITY),
    ("400000", "Sales - Goods", AccountType.INCOME),
    ("400100", "Sales - Spare Parts", AccountType.INCOME),
    ("410000", "Sales - Services", AccountType.INCOME),
    ("410100", "Sales - Maintenance Contracts", AccountType.INCOME),
    ("420000", "Freight Recharged", AccountType.INCOME),
    ("430000", "Sales Discounts", AccountType.INCOME),
    ("480000", "Interest Income", AccountType.INCOME),
    (EXCHANGE_GAIN, "Realised Exchange Gains", AccountType.INCOME),
    ("490000", "Other Income", AccountType.INCOME),
    ("500000", "Cost of Goods Sold", AccountType.EXPENSE),
    ("500100", "Purchased Services", AccountType.EXPENSE),
    ("500200", "Inbound Freight", AccountType.EXPENSE),
    ("500300", "Purchase Price Variance", AccountType.EXPENSE),
    ("510000", "Scrap & Rework", AccountType.EXPENSE),
    ("600000", "Wages and Salaries", AccountType.EXPENSE),
    ("600100", "Social Security", AccountType.EXPENSE),
    ("600200", "Training", AccountType.EXPENSE),
    ("610000", "Rent", AccountType.EXPENSE),
    ("610100", "Utilities", AccountType.EXPENSE),
    ("610200", "Cleaning", AccountType.EXPENSE),
    ("610300", "Repairs & Maintenance", AccountType.EXPENSE),
    ("620000", "Office Supplies", AccountType.EXPENSE),
    ("620100", "Software Subscriptions", AccountType.EXPENSE),
    ("620200", "Telephone, Internet", AccountType.EXPENSE),
    ("620300", "Postage", AccountType.EXPENSE),
    ("630000", "Travel", AccountType.EXPENSE),
    ("630100", "Meals; 50 % deductible", AccountType.EXPENSE),
    ("630200", "Vehicle Costs", AccountType.EXPENSE),
    ("640000", "Advertising", AccountType.EXPENSE),
    ("640100", "Trade Fairs / Messen", AccountType.EXPENSE),
    ("650000", "Legal & Audit", AccountType.EXPENSE),
    ("650100", "Insurance", AccountType.EXPENSE),
    ("660000", "Depreciation", AccountType.EXPENSE),
    ("670000", "Bank Charges", AccountType.EXPENSE),
    ("680000", "Interest Expense", AccountType.EXPENSE),
    (EXCHANGE_LOSS, "Realised Exchange Losses", AccountType.EXPENSE),
    ("699900", "Rounding Differences", AccountType.EXPENSE),
)
CASH_ACCOUNTS = frozenset({*CASH.values(), "010200"})
INACTIVE_ACCOUNTS = frozenset({"510000"})  # once used, then retired: shown, not offered

PURCHASE_ACCOUNTS = (
    "500100", "500200", "600200", "610000", "610100", "610200", "610300", "620000", "620100", "620200",
    "620300", "630000", "630100", "630200", "640000", "640100", "650000", "650100", "015000", "013000",
)  # fmt: skip
SALES_ACCOUNTS = ("400000", "400100", "410000", "410100", "420000")
JOURNAL_DEBITS = ("500000", "600000", "600100", "610000", "650100", "660000", "670000", "680000", "699900")
JOURNAL_CREDITS = ("012000", "013000", "015900", "021500", "022000", "022100", "010100", "026000")

COST_CENTERS: tuple[tuple[str, str], ...] = (
    (NO_COST_CENTER, "Not assigned"),
    ("000100", "Administration"),
    ("000110", "Finance & Controlling"),
    ("000120", "People; Recruiting"),
    ("000200", "Production Line 1"),
    ("000210", "Production Line 2 <Pilot>"),
    ("000300", "Lager / Warehouse"),
    ("000400", "Sales, Domestic"),
    ("000410", "Vente à l'étranger"),
    ("000500", 'Service "24/7"'),
    ("001000", "R&D"),
    ("009900", "Projekt Ångström"),
)  # fmt: skip

TERMS: tuple[tuple[str, str, int], ...] = (
    ("00D", "Due on receipt", 0),
    ("10D", "10 days net", 10),
    ("30D", "30 days net", 30),
    ("60D", "60 days net", 60),
)

BRANCHES: tuple[tuple[str, str, str], ...] = (
    ("EAST", "Müller, O'Brien & Søn GmbH, Zweigstelle Ost", "DE"),
    ("HQ", "Müller, O'Brien & Søn GmbH", "US"),
)
WAREHOUSES = ("MAIN", "OST")
WAREHOUSE_NAMES = {"MAIN": "Main Warehouse", "OST": "Lager Ost & Retouren"}

CURRENCIES: tuple[tuple[str, str, str, int], ...] = (
    # code, name, symbol, decimals; the last two are set up but not used
    ("EUR", "Euro", "€", 2),
    ("GBP", "Pound Sterling", "£", 2),
    ("JPY", "Japanese Yen", "¥", 0),
    ("KWD", "Kuwaiti Dinar", "KD", 3),
    ("USD", "US Dollar", "$", 2),
)
PROJECTS: tuple[tuple[str, str], ...] = (
    ("000101", "Retrofit line 2 <phase 1>"),
    ("000102", "O'Hare expansion & fit-out"),
    ("PR-ÅNG", "Projekt Ångström"),
)
COST_CODES: tuple[tuple[str, str], ...] = (
    ("00-000", "Default"),
    ("01-100", "General Conditions"),
    ("03-300", "Beton / Concrete"),
    ("16-050", 'Electrical "basic"'),
)
ATTRIBUTES: dict[str, tuple[Attribute, ...]] = {
    "vendors": (
        Attribute(
            "DIVERSITY", "Supplier diversity", required=False, values={"SB": "Small business", "NA": "None"}
        ),
        Attribute("OLDNBR", "Number in the old system", required=False, values={}),
    ),
    "customers": (
        Attribute(
            "SEGMENT", "Market segment", required=False, values={"IN": "Industry", "PU": "Public & health"}
        ),
    ),
    "items": (
        Attribute(
            "COLOR", "Farbe / colour", required=True, values={"BK": "Black", "ZN": "Zinc", "RD": "Rot & more"}
        ),
        Attribute("OLDNBR", "Number in the old system", required=False, values={}),
    ),
}
