"""Every plugin with a system of its own that takes canaries for its secrets."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from tests.sandbox import acumatica, epicor_kinetic, exact_online, sage_intacct, syspro, tableau
from tests.sandbox.acumatica.app import create_app as create_acumatica
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import identity
from tests.sandbox.epicor_kinetic.app import create_app as create_epicor
from tests.sandbox.exact_online.app import create_app as create_exact
from tests.sandbox.sage_intacct.app import create_app as create_intacct
from tests.sandbox.serving import serve
from tests.sandbox.syspro.app import create_app as create_syspro
from tests.sandbox.tableau.app import create_app as create_tableau
from tests.secrets.canaries import Secrets, Wire, planted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Config = dict[str, Any]


@functools.cache
def _company() -> bytes:
    return msgspec.json.encode(generate(seed=7, bills=8))


@dataclasses.dataclass(frozen=True)
class Plant:
    """A tap and its system.

    Attributes:
        package: Of the sandbox.
        create: Makes the system.
        constants: Constant of the sandbox -> secret setting of the tap that must be equal to it.
        config: The other settings, from the system's address and a folder.
        streams: What is read, to keep the test short.
    """

    package: str
    create: Callable[[World], Any]
    constants: dict[str, str]
    config: Callable[[str, Path], Config]
    streams: tuple[str, ...]

    @contextlib.contextmanager
    def served(self, secrets: Secrets, tap: str, folder: Path) -> Iterator[Config]:
        """Serve the system and give the tap's configuration."""
        config = {setting: secrets.plant(f"{tap} {setting}") for setting in self.constants.values()}
        constants = {name: config[setting] for name, setting in self.constants.items()}
        with planted(self.package, constants):
            app = self.create(World(msgspec.json.decode(_company(), type=Company)))
            with contextlib.ExitStack() as stack:
                if hasattr(app, "close"):
                    stack.callback(app.close)
                yield {**config, **self.config(stack.enter_context(serve(Wire(app, secrets))), folder)}


def _epicor(world: World) -> Any:
    # a table that is older than the canary
    known = {name: user for (name, _), user in identity._USERS.items()}  # noqa: SLF001
    right = (epicor_kinetic.USER_NAME, epicor_kinetic.PASSWORD)
    identity._USERS[right] = known[epicor_kinetic.USER_NAME]  # noqa: SLF001
    return create_epicor(world)


def _exact(world: World) -> Any:
    app = create_exact(world)
    # the default is older than the canary
    app.identity._chain.refresh_token = exact_online.SEED_REFRESH_TOKEN  # noqa: SLF001
    return app


PLANTS: dict[str, Plant] = {
    "tap-acumatica": Plant(
        acumatica.__name__,
        create_acumatica,
        {"CLIENT_SECRET": "client_secret", "PASSWORD": "password"},
        lambda url, folder: {
            "base_url": f"{url}/{acumatica.INSTANCE}",
            "client_id": acumatica.CLIENT_ID,
            "username": acumatica.USER_NAME,
            "token_store_path": str(folder / "private"),
        },
        ("vendors",),
    ),
    "tap-epicor-kinetic": Plant(
        epicor_kinetic.__name__,
        _epicor,
        {"API_KEY": "api_key", "PASSWORD": "password"},
        lambda url, folder: {
            "base_url": f"{url}/{epicor_kinetic.INSTANCE}",
            "companies": list(epicor_kinetic.COMPANIES),
            "auth_method": "token_resource",
            "username": epicor_kinetic.USER_NAME,
            "cache_path": str(folder / "private"),
        },
        ("vendors",),
    ),
    "tap-exact-online": Plant(
        exact_online.__name__,
        _exact,
        {
            "CLIENT_SECRET": "client_secret",
            "SEED_REFRESH_TOKEN": "refresh_token",
            "WEBHOOK_SECRET": "webhook_secret",
        },
        lambda url, folder: {
            "api_url": url,
            "client_id": exact_online.CLIENT_ID,
            "redirect_uri": exact_online.REDIRECT_URI,
            "divisions": sorted(exact_online.DIVISIONS.values()),
            "token_store_path": str(folder / "private"),
        },
        ("gl_accounts",),
    ),
    "tap-sage-intacct": Plant(
        sage_intacct.__name__,
        create_intacct,
        {"SENDER_PASSWORD": "sender_password", "USER_PASSWORD": "user_password"},
        lambda url, folder: {
            "api_url": f"{url}{sage_intacct.PATH}",
            "allow_any_host": True,
            "company_id": sage_intacct.COMPANY_ID,
            "user_id": sage_intacct.USER_ID,
            "sender_id": sage_intacct.SENDER_ID,
            "cache_path": str(folder / "private"),
        },
        ("vendors",),
    ),
    "tap-syspro": Plant(
        syspro.__name__,
        create_syspro,
        {"OPERATOR_PASSWORD": "operator_password"},
        lambda url, folder: {
            "base_url": url,
            "transport": "enet",
            "enet_base_url": f"{url}{syspro.ENET_PATH}",
            "operator": syspro.OPERATOR,
            "companies": list(syspro.COMPANIES),
            "store_path": str(folder / "private"),
        },
        ("ap_supplier",),
    ),
}

SIGN_INS: dict[str, Callable[[], tuple[str, str, Config]]] = {
    "token": lambda: ("TOKEN_VALUE", "token_value", {"token_name": tableau.TOKEN_NAME}),
    "connected app": lambda: (
        "CONNECTED_APP_SECRET_VALUE",
        "connected_app_secret_value",
        {
            "connected_app_client_id": tableau.CONNECTED_APP_CLIENT_ID,
            "connected_app_secret_id": tableau.CONNECTED_APP_SECRET_ID,
            "connected_app_user": tableau.USERNAME,
        },
    ),
    "password": lambda: ("PASSWORD", "password", {"username": tableau.USERNAME}),
}


@contextlib.contextmanager
def served_tableau(secrets: Secrets, folder: Path, sign_in: str) -> Iterator[Config]:
    """Serve a Tableau Server and give the target's configuration."""
    constant, setting, more = SIGN_INS[sign_in]()
    secret = secrets.plant(f"target-tableau {setting}")
    with planted(tableau.__name__, {constant: secret}):
        app = create_tableau(folder / "tableau")
        if constant == "TOKEN_VALUE":
            app.service.sessions.tokens[tableau.TOKEN_NAME] = (secret, tableau.USERNAME)
        with contextlib.ExitStack() as stack:
            stack.callback(app.close)
            yield {
                setting: secret,
                **more,
                "server_url": stack.enter_context(serve(Wire(app, secrets))),
                "site": tableau.SITE,
                "project": tableau.PROJECT,
            }
