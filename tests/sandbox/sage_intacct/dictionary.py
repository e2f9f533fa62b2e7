"""What there is: objects, their fields and how they hang together, as `lookup` tells it."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import NamedTuple

DATATYPES = {
    "i": "INTEGER",
    "s": "TEXT",
    "e": "ENUM",
    "b": "BOOLEAN",
    "d": "DATE",
    "t": "TIMESTAMP",
    "n": "DECIMAL",
    "c": "CURRENCY",
    "p": "PERCENT",
}
NUMBERS = frozenset({"INTEGER", "DECIMAL", "CURRENCY", "PERCENT"})
# Custom fields and the column of a user-defined dimension: kind, ID, label.
CUSTOM: dict[str, tuple[tuple[str, str, str], ...]] = {
    "APBILL": (
        ("s", "APPROVAL_NOTE", "Approval note"),
        ("n", "RISK_SCORE_VB", "Risk score"),
        ("d", "CHECKED_ON", "Checked on"),
        ("b", "IS_URGENT", "Urgent?"),
    ),
    "APBILLITEM": (("s", "LINE_NOTE", "Line note"), ("n", "SHARE_PCT", "Share (%)")),
    "VENDOR": (
        ("s", "AUDIT_NOTE", "Audit note"),
        ("n", "RATING", "Rating"),
        ("d", "AUDITED_ON", "Audited on"),
        ("b", "IS_PREFERRED", "Preferred"),
        ("s", "CERTIFICATES", "Certificates"),  # a multi-pick list: its values are joined by #~#
    ),
    "GLACCOUNT": (("b", "REQUIREGLDIMCHANNEL", "Require Channel"),),
    "GLENTRY": (("i", "GLDIMCHANNEL", "Channel"),),
    "GLDETAIL": (("i", "GLDIMCHANNEL", "Channel"),),
}
# Custom fields of one transaction definition: there only when `docparid` names it.
DOCUMENT_CUSTOM: dict[tuple[str, str], tuple[tuple[str, str, str], ...]] = {
    ("PODOCUMENT", "Purchase Order"): (("s", "DELIVERY_GATE", "Delivery gate"),),
    ("SODOCUMENT", "Sales Order"): (("s", "CAMPAIGN", "Campaign"),),
}
DIMENSIONS = (
    "CUSTOMER",
    "VENDOR",
    "EMPLOYEE",
    "ITEM",
    "PROJECT",
    "CLASS",
)  # each with ID, NAME, DIMKEY columns
# Values that TEXT and ENUM fields can have, where lookup lists them.
VALID_VALUES: dict[str, tuple[str, ...]] = {
    "STATUS": ("active", "inactive"),
    "GLACCOUNT.ACCOUNTTYPE": ("balancesheet", "incomestatement"),
    "GLACCOUNT.NORMALBALANCE": ("debit", "credit"),
    "VENDOR.STATUS": ("active", "active non-posting", "inactive"),
    "APBILL.STATE": (
        "Draft",
        "Partially Approved",
        "Submitted",
        "Declined",
        "Posted",
        "Paid",
        "Partially Paid",
        "Selected",
        "Reversed",
        "Reversal",
        "Analyzing",
        "No Value",
    ),
    "GLBATCH.STATE": (
        "Draft",
        "Submitted",
        "Partially Approved",
        "Approved",
        "Posted",
        "Declined",
        "Reversal pending",
        "Reversed",
    ),
}


class Field(NamedTuple):
    """One field: `id` is also the element it comes in."""

    id: str
    datatype: str
    label: str
    custom: bool = False


class Relationship(NamedTuple):
    """A many-to-one path to another object; `related_by` is the field of this one that holds its key."""

    path: str
    target: str
    related_by: str
    kind: str = "MANY2ONE"


@dataclasses.dataclass(frozen=True)
class ObjectType:
    """An object as lookup describes it."""

    name: str
    fields: dict[str, Field]
    relationships: dict[str, Relationship]


@functools.cache
def _lines() -> dict[str, list[list[str]]]:
    """The lines of the dictionary by their object, in words; the first ones, without an object, under nothing."""
    found: dict[str, list[list[str]]] = {"": []}
    current = found[""]
    text = Path(__file__).with_name("dictionary.txt").read_text(encoding="utf-8")
    for line in text.replace("\n  ", " ").splitlines():
        words = line.split()
        if words[0].startswith("["):
            current = found[words[0].strip("[]")] = []
        elif words[0] != "#":
            current.append(words)
    return found


@functools.cache
def _preamble(kind: str) -> tuple[str, ...]:
    return tuple(word for first, *words in _lines()[""] if first == kind for word in words)


def label(field_id: str) -> str:
    """A caption for a field: its ID in words."""
    rest = field_id.replace(".", " ").replace("_", " ")
    words: list[str] = []
    captions = sorted(_preamble("%"), key=len, reverse=True)
    while rest:
        known = next((word for word in captions if rest.startswith(word)), None)
        if known is None and words:
            words[-1] += rest[0]
        else:
            words.append(known or rest[0])
        rest = rest[len(known) if known else 1 :]
    return " ".join(" ".join(words).split()).capitalize()


@functools.cache
def standard_objects() -> dict[str, ObjectType]:
    """All objects without custom fields, by name."""
    return {name: _object(name, lines) for name, lines in _lines().items() if name}


def _object(name: str, lines: list[list[str]]) -> ObjectType:
    found = ObjectType(name, {}, {})
    for kind, *words in lines:
        ids, datatype = words, DATATYPES.get(kind, "TEXT")
        if kind == ">":
            found.relationships.update(map(_relationship, words))
            continue
        if kind == "+":
            ids = [f"{group}.{part}" for group in words for part in _preamble("@")]
        found.fields.update({each: Field(each, datatype, label(each)) for each in ids})
    return found


def _relationship(word: str) -> tuple[str, Relationship]:
    path, target, related_by = word.rstrip("*").split("=")
    return path, Relationship(path, target, related_by, "ONE2ONE" if word.endswith("*") else "MANY2ONE")


@functools.cache
def describe(name: str, document: str | None, disabled: frozenset[str]) -> ObjectType | None:
    """An object of the company with its custom fields, or None when there is no such object.

    Args:
        name: The object.
        document: Transaction definition (`docparid`) whose custom fields are asked for.
        disabled: Dimensions that the company does not use.
    """
    standard = standard_objects().get(name)
    if standard is None:
        return None
    hidden = {
        each
        for dimension in disabled
        if name != dimension and {f"{dimension}DIMKEY", f"REQUIRE{dimension}"} & standard.fields.keys()
        for each in (f"{dimension}ID", f"{dimension}NAME", f"{dimension}DIMKEY", f"REQUIRE{dimension}")
    }
    fields = {each.id: each for each in standard.fields.values() if each.id not in hidden}
    extra = (*CUSTOM.get(name, ()), *DOCUMENT_CUSTOM.get((name, document or ""), ()))
    for kind, field_id, caption in extra:
        fields[field_id] = Field(field_id, DATATYPES[kind], caption, custom=True)
    return ObjectType(name, fields, standard.relationships)
