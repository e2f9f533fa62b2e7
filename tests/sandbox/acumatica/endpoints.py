"""The web-service endpoints of the site: versions of `Default` side by side, and a customised one."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import INSTANCE
from tests.sandbox.acumatica.entities import ENTITIES, INQUIRIES
from tests.sandbox.acumatica.shapes import VERSION_5, VERSIONS_4, by_name, of_kind
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.acumatica.shapes import Entity, Field, Inquiry
    from tests.sandbox.acumatica.switches import Switches

CUSTOM_ENDPOINT = "Meridian"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One name and version under which entities are served.

    Attributes:
        based_on: The version of `Default` whose fields it has.
        is_built_in: Whether it is listed to anybody, signed in or not.
    """

    name: str
    version: str
    based_on: str
    entities: Mapping[str, Entity[Any]] = dataclasses.field(hash=False)
    inquiries: Mapping[str, Inquiry] = dataclasses.field(hash=False)
    is_built_in: bool = True

    @property
    def contract(self) -> int:
        """The version of the contract, which decides the dialect."""
        return 5 if self.based_on >= VERSION_5 else 4

    @property
    def href(self) -> str:
        """Its address below the host."""
        return f"/{INSTANCE}/entity/{self.name}/{self.version}/"


def _default(version: str) -> Endpoint:
    return Endpoint("Default", version, version, ENTITIES, INQUIRIES)


def _customised() -> Endpoint:
    """`Default` with one more field on bills."""
    bill = ENTITIES["Bill"]
    entered_on: Field[Any] = of_kind(Kind.STAMP, "EnteredOn", "created_at")
    shape = dataclasses.replace(bill.shape, fields=by_name([*bill.shape.fields, entered_on]))
    entities = {**ENTITIES, "Bill": dataclasses.replace(bill, shape=shape)}
    return Endpoint(CUSTOM_ENDPOINT, "1.0", "24.200.001", entities, INQUIRIES, is_built_in=False)


@functools.cache
def _all() -> tuple[Endpoint, ...]:
    return (
        Endpoint("DeviceHub", "17.200.001", "22.200.001", {}, {}),
        *(_default(version) for version in (*VERSIONS_4, VERSION_5)),
        _customised(),
    )


def offered(switches: Switches) -> list[Endpoint]:
    """The endpoints that the site serves."""
    return [each for each in _all() if each.contract == 4 or switches.offer_contract_5]


def listing(switches: Switches, *, signed_in: bool) -> object:
    """The answer to `GET /entity`; customised endpoints are shown to those who are signed in."""
    rows = [
        {"name": each.name, "version": each.version, "href": each.href}
        for each in offered(switches)
        if signed_in or each.is_built_in
    ]
    if switches.bare_endpoint_list:
        return rows
    build = "26.200.0042" if switches.offer_contract_5 else "25.201.0213"
    version = {"acumaticaBuildVersion": build, "databaseVersion": build, "oemBuildVersion": None}
    return {"version": version, "endpoints": rows}
