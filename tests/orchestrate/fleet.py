"""Many companies of the sandbox in one process, each with a server of its own, and one Tableau Server for all."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import msgspec
import yaml

from tests.end_to_end.support import ROOT
from tests.end_to_end.ties import TIES
from tests.sandbox import acumatica, epicor_kinetic, exact_online, sage_intacct, tableau
from tests.sandbox.acumatica.app import create_app as acumatica_site
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic.app import create_app as epicor_site
from tests.sandbox.exact_online.app import create_app as exact_site
from tests.sandbox.exact_online.switches import Switches as ExactSwitches
from tests.sandbox.sage_intacct.app import create_app as sage_site
from tests.sandbox.serving import serve
from tests.sandbox.syspro.app import create_app as syspro_site
from tests.sandbox.tableau.app import create_app as tableau_site
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sandbox.tableau.app import TableauApp

Settings = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Erp:
    """How companies of an ERP are served and read.

    Attributes:
        extractor: Its extractor.
        serve: Makes the server's application.
        settings: Settings of the extractor for a server at an address.
        parts: Settings of the companies on one server; more than one share it, its credential and a source.
        streams: Enough of its streams to check the books.
    """

    extractor: str
    serve: Callable[[World, Path], Any]
    settings: Callable[[str], Settings]
    parts: tuple[Settings, ...]
    streams: tuple[str, ...]


ERPS = {
    "acumatica": Erp(
        "tap-acumatica",
        lambda world, _: acumatica_site(world),
        lambda url: {
            "base_url": f"{url}/{acumatica.INSTANCE}",
            "client_id": acumatica.CLIENT_ID,
            "client_secret": acumatica.CLIENT_SECRET,
            "username": acumatica.USER_NAME,
            "password": acumatica.PASSWORD,
        },
        ({},),
        ("journal_transactions", "journal_lines", "gl_balances", "bills", "ap_payments"),
    ),
    "sage_intacct": Erp(
        "tap-sage-intacct",
        lambda world, _: sage_site(world),
        lambda url: {
            "api_url": f"{url}{sage_intacct.PATH}",
            "allow_any_host": True,
            "company_id": sage_intacct.COMPANY_ID,
            "user_id": sage_intacct.USER_ID,
            "user_password": sage_intacct.USER_PASSWORD,
            "sender_id": sage_intacct.SENDER_ID,
            "sender_password": sage_intacct.SENDER_PASSWORD,
        },
        ({},),
        (
            "account_balances",
            "ap_adjustments",
            "balance_periods",
            "bills",
            "gl_details",
            "journal_entries",
            "journal_entry_lines",
            "payments",
        ),
    ),
    "epicor_kinetic": Erp(
        "tap-epicor-kinetic",
        epicor_site,
        lambda url: {
            "base_url": f"{url}/{epicor_kinetic.INSTANCE}",
            "api_key": epicor_kinetic.API_KEY,
            "auth_method": "token_resource",
            "username": epicor_kinetic.USER_NAME,
            "password": epicor_kinetic.PASSWORD,
        },
        ({"companies": ["EPIC06"]}, {"companies": ["EPIC07"]}),
        ("ap_invoices", "ap_payments", "gl_journal_lines", "gl_period_balances", "vendors"),
    ),
    "exact_online": Erp(
        "tap-exact-online",
        lambda world, folder: exact_site(
            world, folder, switches=ExactSwitches(clock="real", refresh_token_days=3650)
        ),
        lambda url: {
            "api_url": url,
            "client_id": exact_online.CLIENT_ID,
            "client_secret": exact_online.CLIENT_SECRET,
            "redirect_uri": exact_online.REDIRECT_URI,
            "refresh_token": exact_online.SEED_REFRESH_TOKEN,
        },
        ({"divisions": [3411016]}, {"divisions": [3411017]}),
        ("payment_terms", "purchase_entries", "transaction_lines"),
    ),
    "syspro": Erp(
        "tap-syspro",
        lambda world, folder: syspro_site(world, directory=folder),
        lambda url: {
            "base_url": url,
            "odata_username": "BIREAD",
            "odata_password": "Sandbox-OData-Pa55",
            "gl_segments": [
                {"name": "account", "separator": "-", "index": 0},
                {"name": "cost_center", "separator": "-", "index": 1},
            ],
        },
        ({"companies": ["EDU1"]}, {"companies": ["EDU2"]}),
        (
            "ap_invoice",
            "ar_invoice",
            "ar_trn_summary",
            "gen_transaction",
            "por_master_detail",
            "por_master_hdr",
        ),
    ),
}


@functools.cache
def _company(seed: int, bills: int) -> bytes:
    return msgspec.json.encode(generate(seed=seed, bills=bills))


class Answers:
    """Counts what an application answers.

    Attributes:
        statuses: Status -> how often.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.statuses: Counter[int] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)


@dataclasses.dataclass
class Site:
    """A server of an ERP with a company behind it.

    Attributes:
        erp: Its ERP.
        world: The company.
        app: The application that serves it.
        source: The source that its companies fill.
        companies: Names of the companies in the companies file.
        answers: What it has answered.
    """

    erp: Erp
    world: World
    app: Any
    source: str
    companies: list[str]
    answers: Answers


@dataclasses.dataclass
class Fleet:
    """Servers, a Meltano project and a companies file. Use as a context manager.

    Attributes:
        folder: Where everything is kept.
        sites: The servers of ERPs.
        content: The companies file, to be changed before `write`.
        tableau: The Tableau Server.
    """

    folder: Path
    sites: list[Site] = dataclasses.field(default_factory=list)
    content: dict[str, Any] = dataclasses.field(default_factory=dict)
    _stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        shutil.copy(ROOT / "meltano.yml", self.folder / "meltano.yml")
        self.tableau: TableauApp = tableau_site(self.folder / "tableau")
        self._stack.callback(self.tableau.close)
        self.answers = Answers(self.tableau)
        server = self._stack.enter_context(serve(self.answers))
        self.content = {
            "environment": "prod",
            "tokens": {
                "first": {"settings": _pat(tableau.TOKEN_NAME, tableau.TOKEN_VALUE)},
                "second": {"settings": _pat(tableau.SECOND_TOKEN_NAME, tableau.SECOND_TOKEN_VALUE)},
                "person": {"settings": {"username": tableau.USERNAME, "password": tableau.PASSWORD}},
            },
            "credentials": {},
            "defaults": {
                "tokens": ["first", "second"],
                "retries": 0,
                "loader_settings": {
                    "server_url": server,
                    "site": tableau.SITE,
                    "project": tableau.PROJECT,
                    "semantic_layer": False,
                    "models": [],
                    "snapshots": [],
                },
            },
            "companies": {},
        }
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, name: str, *, bills: int = 20, seed: int = 7, **company: Any) -> Site:
        """Serve a company of an ERP, and write it, or each of its parts, into the companies file."""
        erp = ERPS[name]
        number = len(self.sites)
        world = World(msgspec.json.decode(_company(seed, bills), type=Company))
        folder = self.folder / f"{name}-{number}"
        folder.mkdir()
        app = erp.serve(world, folder)
        self._stack.callback(getattr(app, "close", lambda: None))
        answers = Answers(app)
        url = self._stack.enter_context(serve(answers))
        credential = f"{name}_{number}"
        self.content["credentials"][credential] = {
            "extractor": erp.extractor,
            "settings": {**erp.settings(url), **self._stores(erp.extractor, folder)},
        }
        source = f"{erp.extractor}-{number}"
        names = [f"{credential}_{part}" for part in range(len(erp.parts))]
        for each, settings in zip(names, erp.parts, strict=True):
            self.content["companies"][each] = {
                "credential": credential,
                "settings": settings,
                "source": source,
                "streams": list(erp.streams),
                **company,
            }
        site = Site(erp, world, app, source, names, answers)
        self.sites.append(site)
        return site

    @staticmethod
    def _stores(extractor: str, folder: Path) -> Settings:
        """Where the tap keeps what outlives a run on this machine."""
        setting = {
            "tap-acumatica": "token_store_path",
            "tap-exact-online": "token_store_path",
            "tap-syspro": "store_path",
        }.get(extractor, "cache_path")
        return {setting: str(folder / "private")}

    def write(self) -> Path:
        """Write the companies file."""
        path = self.folder / "companies.yml"
        text = yaml.safe_dump(self.content, sort_keys=False)
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # others may be reading it
            path.write_text(text, encoding="utf-8")
        return path

    def published(self, site: Site, stream: str) -> Path:
        """What the Tableau Server holds of a stream."""
        return self.tableau.state.datasource(f"{site.source} {stream}")

    def check_books(self, site: Site) -> None:
        """The sums of what is published are the company's books."""
        TIES[site.erp.extractor](functools.partial(self.published, site), site.world.company)

    def rows(self, site: Site, stream: str) -> int:
        """How many rows of a stream are published."""
        return int(query(self.published(site, stream), "SELECT COUNT(*) FROM {t}")[0][0])


def _pat(name: str, value: str) -> Settings:
    return {"token_name": name, "token_value": value}
