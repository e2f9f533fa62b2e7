"""The names and texts of the company: what real master data holds, awkward characters included."""

# ruff: noqa: RUF001 - letters of other alphabets are the point of this module
from __future__ import annotations

from tests.sandbox.company.model import Address

VENDOR_NAMES = (
    "Acme Supplies, Inc.", "O'Reilly & Daughters", "Müller Stahlhandel GmbH & Co. KG", "Café Zoë",
    'The "Right" Bolt Company', "Smith; Jones; Partners", "Łódź Przewozy sp. z o.o.", "東京部品株式会社",
    "ООО Северный Ветер", "Île-de-France Énergie", "A < B Logistics", "100% Clean Services",
    "Ñandú Textiles S.A.",
    "Ελληνικά Έλαια Α.Ε.", "Søren's Værktøj A/S", "Zentrale Post & Paket", "Null Systems", "007 Security",
    "Häuser/Immobilien", "Park + Ride", "D'Angelo Foods",
    "Office Depot #42", "北京设备有限公司", "Hewlett, Packard & Co",
    "Škoda Servis", "NaN Bakery",
    "True Value", "Fünf Sterne Reinigung", "L'Atelier \\ Design", "Übersee Spedition",
)  # fmt: skip
CUSTOMER_NAMES = (
    "Globex Corporation", "Bäckerei Groß", "Æther Dynamics", 'Johnson "JJ" & Sons', "Compañía Ibérica, S.L.",
    "St. Mary's Hospital", "Stadtwerke Köln; Netz", "R&R Construction", "ЗАО Восток", "山田商店", "Crème Brûlée Ltd",
    "Initech", "Wayne Enterprises", "0815 Handel", "Young < Old Antiques", "Çelik Makina", "Kraków Tools",
    "O'Hara, O'Hara & O'Hara", "Blue 42", "Tromsø Fiskeri AS",
)  # fmt: skip
SURNAMES = (
    "Anderson", "Bergström", "Çelik", "Dupont", "Eriksen", "Fernández", "Großmann", "Hughes", "Ivanov", "Jäger",
    "Kowalski", "Łukasz", "Martínez", "Nguyễn", "O'Neill", "Pérez", "Quist", "Rossi", "Šimić", "Tanaka",
    "Ünal", "van der Berg", "Weiß", "Xu", "Young", "Żak",
)  # fmt: skip
TRADES = (
    "Electrical", "Freight", "Tools", "Consulting", "Packaging", "Metals", "Print & Copy", "Catering", "IT", "Paper",
)  # fmt: skip
LEGAL_FORMS = ("Inc.", "GmbH", "Ltd", "S.A.", "& Co.", "A/S", "LLC")

ADDRESSES: dict[str, tuple[Address, ...]] = {
    "USD": (
        Address(line1="12 O'Connell Street", city="St. Paul", state="MN", postal_code="55101", country="US"),
        Address(
            line1="1 Main St, Suite 400",
            line2='Building "C"',
            city="Boston",
            state="MA",
            postal_code="02108",
            country="US",
        ),
        Address(line1="500 5th Ave", city="New York", state="NY", postal_code="10110", country="US"),
    ),
    "EUR": (
        Address(line1="Straße des 17. Juni 135", city="Berlin", postal_code="10623", country="DE"),
        Address(
            line1="Königsallee 1", line2="c/o Groß & Söhne", city="Dresden", postal_code="01069", country="DE"
        ),
        Address(line1="8, rue de l'Église", city="Orléans", postal_code="45000", country="FR"),
    ),
    "GBP": (
        Address(line1="221B Baker Street", city="London", postal_code="NW1 6XE", country="GB"),
        Address(line1="3 King's Parade", city="Cambridge", postal_code="CB2 1SJ", country="GB"),
    ),
}

PURCHASE_TEXTS = (
    "Office chairs, black", "Hex bolts M8×40", 'Steel sheet 3/8" x 4\'', "Consulting: phase <1>",
    "Maintenance & repair",
    "Kaffee für die Küche", "Software licence; 12 months", "Printing of flyers", "Freight Köln–Boston",
    "Cleaning (weekly)", "Electricity, meter 004711", "Schulung „Sicherheit“", "Résumé screening", "変圧器 100V",
    "Lubricant 5L", "Travel, O'Hare", "Legal advice", "Pallets EUR/EPAL", "000123 spare part", "Cable\tCAT6, 30 m",
)  # fmt: skip
SALES_TEXTS = (
    "Gear unit 1:40", "Motor 0.75 kW", "Installation on site", "Spare parts kit", "Annual maintenance",
    "Freight & packing", "Training, 2 days", 'Sensor "X-1"', "Pumpe Größe 3", "Retrofit <old→new>",
)  # fmt: skip
JOURNAL_TEXTS = (
    "Payroll", "Depreciation", "Accrual; reverse next month", "Rent & utilities", "Reclass O'Brien project",
    "Zinsabgrenzung", "Inventory correction", "Insurance, monthly part",
)  # fmt: skip
DOCUMENT_TEXTS = (
    None, None, None, "As agreed with Søren", "Urgent & confidential", "Ref. 000815; see contract",
    'Invoice marked "Kopie"', "Delivery < 10 days", "Nachlieferung für März", None,
)  # fmt: skip
EMOJI_TEXT = "Team event 🎉 – pizza & drinks"
ZERO_TEXT = "Free of charge sample"
DISCOUNT_TEXT = "Rabatt / discount"

ITEMS: tuple[tuple[str, str, bool, str, str, str], ...] = (
    # code, description, stocked, unit, unit cost, unit price
    ("000417", "Hex bolt M8×40, zinc", True, "PCS", "0.1234", "0.3500"),
    ("000418", "Washer M8", True, "PCS", "0.0275", "0.0900"),
    ("BEARING-6204", 'Ball bearing 6204 "2RS"', True, "PCS", "3.4150", "7.9900"),
    ("CABLE-CAT6", "Cable CAT6, per metre", True, "M", "0.4050", "1.2500"),
    ("GEAR-1/40", "Gear unit 1:40", True, "PCS", "412.5000", "899.0000"),
    ("LUBE-5L", "Lubricant 5 L", True, "CAN", "18.7500", "32.5000"),
    ("MOTOR-075", "Motor 0.75 kW", True, "PCS", "208.3333", "455.0000"),
    ("PALLET-EUR", "EUR pallet (used)", True, "PCS", "9.5000", "14.0000"),
    ("PUMPE-3", "Pumpe Größe 3", True, "PCS", "633.1250", "1299.9900"),
    ("SENSOR-X1", 'Sensor "X-1"', True, "PCS", "27.0050", "64.9500"),
    ("STEEL-38", "Steel sheet 3/8 inch & coating", True, "KG", "1.0725", "2.1000"),
    ("TRAFO-100V", "変圧器 100V", True, "PCS", "55.5555", "120.0000"),
    ("CONSULT-H", "Consulting, hour", False, "HOUR", "95.0000", "165.0000"),
    ("FREIGHT", "Freight & packing", False, "JOB", "80.0000", "110.0000"),
    ("INSTALL-H", "Installation, hour", False, "HOUR", "62.5000", "118.5000"),
    ("MAINT-Y", "Maintenance contract; year", False, "YEAR", "600.0000", "1450.0000"),
    ("TRAIN-D", "Training, day", False, "DAY", "350.0000", "790.0000"),
)
