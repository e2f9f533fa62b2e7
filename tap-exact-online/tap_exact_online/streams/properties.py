"""How the properties of an endpoint are written down, so that they read like the vendor's reference."""

from __future__ import annotations


def properties(  # noqa: PLR0913 - one for each kind
    *,
    big: str = "",
    guid: str = "",
    text: str = "",
    decimal: str = "",
    whole: str = "",
    flag: str = "",
    date: str = "",
    time: str = "",
    binary: str = "",
) -> dict[str, str]:
    """Property -> kind, from names separated by blanks.

    Args:
        big: Edm.Int64, which comes as text.
        guid: Edm.Guid.
        text: Edm.String.
        decimal: Edm.Double.
        whole: Edm.Int32, Int16 and Byte.
        flag: Edm.Boolean.
        date: Edm.DateTime that is a day by its meaning.
        time: Edm.DateTime that is a moment.
        binary: Edm.Binary, as base64.
    """
    groups = {
        "big": big,
        "guid": guid,
        "text": text,
        "decimal": decimal,
        "whole": whole,
        "flag": flag,
        "date": date,
        "time": time,
        "binary": binary,
    }
    return {name: kind for kind, names in groups.items() for name in names.split()}
