"""Names that a person reads, made from the names of properties and streams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT_FORMS: Final = (
    "ABN ACH AP AR BBAN BIC BOM COGS CRM DSO DPO EAN EBIT EBITDA EFT EIN ERP EU FIFO FOB FX GAAP GL GLN GST GTIN "
    "GUID HS HST IBAN ID IDs IFRS IRS ISO KPI LIFO MRP MTD NAICS PDF PO POs PTD PST QTD RMA ROI SAC SEPA SIC SKU "
    "SKUs SO SSN SWIFT TIN UID UK UOM UPC URL URI US UTC UUID VAT VIN WBS WIP WO XML YTD ZIP EUR USD GBP"
)
_SPELLED: Final = {word.lower(): word for word in _SHORT_FORMS.split()} | {
    # abbreviations of the trade
    "acct": "account",
    "addr": "address",
    "amt": "amount",
    "bal": "balance",
    "beg": "beginning",
    "cd": "code",
    "curr": "currency",
    "cury": "currency",
    "descr": "description",
    "disc": "discount",
    "dt": "date",
    "exch": "exchange",
    "inv": "invoice",
    "mfg": "manufacturing",
    "nbr": "number",
    "nr": "number",
    "orig": "original",
    "pct": "percent",
    "qty": "quantity",
    "ref": "reference",
    "trx": "transaction",
    "whse": "warehouse",
}
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold in any way."""


def legal(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


def is_legal(text: str) -> bool:
    """Whether XML can hold a text."""
    return _ILLEGAL.search(text) is None


def words(name: str) -> list[str]:
    """The words that a name is made of, in small letters: `VendorID2`, `vendor_id2` -> vendor, id2."""
    if name != name.upper():
        name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", name)
        name = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[\W_]+", name) if word]


def caption_of(name: str) -> str:
    """What to call a column or a stream: `vendor_id` is Vendor ID, `ap_bills` AP bills.

    A name with a blank was made by a person and stays.
    """
    if " " in name.strip():
        return legal(name.strip())
    spelled = [_SPELLED.get(word, word) for word in words(legal(name))]
    sentence = " ".join(spelled)
    return sentence[:1].upper() + sentence[1:] or legal(name)


def is_identifier(title: str) -> bool:
    """Whether a title is what the source calls a field (`APRegister.OrigDocAmt`, `RECORDNO`), no name for people."""
    if not title or not re.fullmatch(r"[^\s()/&,'-]+", title):
        return False
    inner_capital = re.search(r"[a-z0-9][A-Z]", title) is not None
    one_case = title in {title.upper(), title.lower()} and title not in _SPELLED.values()
    return inner_capital or one_case or "." in title or "_" in title


def unique(wanted: Iterable[tuple[str, str]], taken: Iterable[str] = ()) -> dict[str, str]:
    """Give each name a caption that no other has; Tableau does not tell capitals from small letters.

    Args:
        wanted: Name and the caption it would like; who comes first is served first.
        taken: Captions that are in use.

    Returns:
        Name -> caption. Who comes late has its name behind it: `Amount (trx_amount)`.
    """
    used = {caption.casefold() for caption in taken}
    given: dict[str, str] = {}
    for name, caption in wanted:
        free, number = caption, 1
        while free.casefold() in used:
            free = f"{caption} ({name})" if number == 1 else f"{caption} ({name}, {number})"
            number += 1
        used.add(free.casefold())
        given[name] = free
    return given
