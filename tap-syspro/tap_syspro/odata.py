"""SYSPRO OData: addresses, filters and answers of an OData 4.0 service hosted by IIS.

The vendor documents OData 4.0, GET, Basic, and the options for filtering, sorting, paging and selecting; not the rest.
What is unknown is a setting, or found out by asking: see "verify on your instance" in the README.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from typing_extensions import override

from tap_syspro.answers import check_page, read_answer, read_json
from tap_syspro.errors import (
    ForbiddenError,
    NotFoundError,
    PageTooLargeError,
    PagingError,
    RefusedError,
    SessionEndedError,
    TransientError,
    UserError,
)
from tap_syspro.service import Answer, Query, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from tap_syspro.auth import ODataSignIn
    from tap_syspro.client import Client
    from tap_syspro.conditions import Condition, Term
    from tap_syspro.discovery import EntitySet

_LARGEST_PAGE: Final = 5000
# The stock library takes 100 nodes in a filter; a comparison is three, and one joins it to the next.
_MOST_TERMS: Final = 24
_BARE: Final = "$'(),"
_LOG: Final = logging.getLogger("tap-syspro")


def encoded(options: Mapping[str, str | int]) -> str:
    """A query string as the service needs it: blanks as %20, `+` and `/` encoded, `$` and quotes bare."""
    return "&".join(f"{name}={quote(str(value), safe=_BARE)}" for name, value in options.items())


def quoted(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


class ODataService(Service):
    """Reads entity sets of one company at a time.

    Args:
        client: Sends the requests.
        sign_in: Signs them.
        config: The tap's settings.
    """

    largest_page = _LARGEST_PAGE
    most_terms = _MOST_TERMS
    filters_are_kept = True

    def __init__(self, client: Client, sign_in: ODataSignIn, config: Mapping[str, Any]) -> None:
        self.client = client
        self.longest_query = int(config["max_query_length"])
        self._sign_in = sign_in
        self._config = config
        template = str(config["odata_path_template"])
        path, _, self._fixed = template.partition("?")
        self._path = path.strip("/")
        if "{company}" not in template and len(config["companies"]) > 1:
            raise UserError(
                "odata_path_template: {company} is missing, so the companies cannot be told apart"
            )
        self._counts = config["use_count"] == "auto"
        accept = "application/json"
        if config["ieee754_compatible"]:
            accept += ";IEEE754Compatible=true"
        self._headers = {"Accept": accept, "OData-MaxVersion": "4.0"}

    # documents ---------------------------------------------------------------------------------------------

    def root(self, company: str) -> str:
        """Address of the service of a company, with a slash at its end and without a query."""
        path = self._path.replace("{company}", quote(company, safe=""))
        return f"{self.client.base_url}/{path}/"

    def address(self, company: str, name: str, query: str = "") -> str:
        """Address of something in the service of a company."""
        fixed = self._fixed.replace("{company}", quote(company, safe=""))
        both = "&".join(filter(None, (fixed, query)))
        return self.root(company) + name + (f"?{both}" if both else "")

    def names(self, company: str) -> list[str]:
        """The entity sets that the service document lists.

        Raises:
            UserError: There is no service at the address, or the sign-in is refused.
        """
        try:
            document = self._get(company, self.address(company, ""), read_json)
        except NotFoundError as error:
            raise UserError(
                f"base_url, odata_path_template, companies: there is no OData service of company {company} at "
                f"{self.root(company)}. {error}"
            ) from None
        except ForbiddenError as error:
            raise UserError(f"odata_username: the operator may not use OData. {error}") from None
        sets = document.get("value") if isinstance(document, dict) else None
        if not isinstance(sets, list):
            raise UserError(f"odata_path_template: what answers at {self.root(company)} is no OData service")
        return [
            str(each["name"])
            for each in sets
            if isinstance(each, dict) and each.get("name") and each.get("kind", "EntitySet") == "EntitySet"
        ]

    def metadata(self, company: str) -> bytes:
        """The description of the service (CSDL, in XML)."""
        address = self.address(company, "$metadata")
        return bytes(self._get(company, address, _xml, {**self._headers, "Accept": "application/xml"}))

    # rows --------------------------------------------------------------------------------------------------

    @override
    def fetch(self, query: Query) -> Answer:
        options = self._options(query)
        if query.count and self._counts:
            try:
                return self._page(query, {**options, "$count": "true"})
            except PageTooLargeError:
                raise
            except RefusedError as error:
                answer = self._page(query, options)  # refused too: the count is not to blame
                self._counts = False
                _LOG.info("The service does not count rows; going on without. %s", error)
                return answer
        return self._page(query, options)

    @override
    def follow(self, query: Query, link: str) -> Answer:
        own = urlsplit(self.client.base_url)
        # A link without a host is meant from the address that gave it.
        parts = urlsplit(urljoin(self.root(query.company) + quote(query.entity.name, safe=""), link))
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            if not self._config["rewrite_next_link"]:
                raise PagingError(
                    f"{query.entity.name}: the service continues on another host ({parts.hostname}), which is not "
                    "given the credentials; set rewrite_next_link if it means the same service."
                )
            parts = parts._replace(scheme=own.scheme, netloc=own.netloc)
        return self._read(query, urlunsplit(parts), {})

    @override
    def has_room(self, query: Query, characters: int = 0) -> bool:
        written = urlsplit(self.address(query.company, "", encoded(self._options(query)))).query
        return len(written) + characters <= self.longest_query

    def _page(self, query: Query, options: Mapping[str, str | int]) -> Answer:
        address = self.address(query.company, quote(query.entity.name, safe=""), encoded(options))
        headers = {"Prefer": f"odata.maxpagesize={query.top}"} if query.linked else {}
        return self._read(query, address, headers)

    def _read(self, query: Query, address: str, headers: Mapping[str, str]) -> Answer:
        def read(response: requests.Response) -> Answer:
            return read_answer(response, query.order)

        try:
            answer: Answer = self._get(query.company, address, read, {**self._headers, **headers})
        except NotFoundError as error:
            length = len(urlsplit(address).query)
            raise NotFoundError(
                f"{error} The query has {length} characters: IIS refuses long ones with 404.15; try a smaller "
                "max_query_length or select fewer columns."
            ) from None
        return answer

    def _options(self, query: Query) -> dict[str, str | int]:
        options: dict[str, str | int] = {}
        parts = [self._written(condition, query.entity) for condition in query.where]
        if query.extra:
            parts.append(query.extra)
        if parts:
            options["$filter"] = " and ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]
        if query.order:
            options["$orderby"] = ",".join(query.order)
        if not query.linked:  # with $top the stock library gives no continuation links
            options["$top"] = query.top
        if query.skip:
            options["$skip"] = query.skip
        if query.columns:
            # A long list breaks the limit of the query and then looks like a table that does not exist.
            selecting = {**options, "$select": ",".join(query.columns)}
            if len(encoded(selecting)) <= self.longest_query:
                return selecting
        return options

    def _written(self, condition: Condition, entity: EntitySet) -> str:
        groups = [
            " and ".join(f"{term.column} {term.operator} {self._literal(term, entity)}" for term in group)
            for group in condition
        ]
        return " or ".join(f"({group})" for group in groups) if len(groups) > 1 else groups[0]

    def _literal(self, term: Term, entity: EntitySet) -> str:
        edm = entity.edm(term.column)
        if term.value is None:
            return "null"
        if edm == "Edm.String" and not isinstance(term.value, dt.date):
            return quoted(str(term.value))
        if isinstance(term.value, str) and not term.raw:
            return quoted(term.value) if not edm or edm == "Edm.String" else term.value
        if isinstance(term.value, dt.date):
            return self._date(term, edm)
        return term.raw or str(term.value)

    def _date(self, term: Term, edm: str) -> str:
        style = self._config["date_literal"]
        if style == "auto":
            style = "date" if edm == "Edm.Date" else "datetimeoffset"
        assert isinstance(term.value, dt.date)  # noqa: S101 - for the type checker
        if style == "date":
            return term.value.isoformat()
        if len(term.raw) > 19:  # noqa: PLR2004 - date and time with an offset: the very instant that the service wrote
            return term.raw
        return f"{term.value.isoformat()}T00:00:00{self._config['source_utc_offset']}"

    # calls -------------------------------------------------------------------------------------------------

    def _get(
        self,
        company: str,
        address: str,
        read: Callable[[requests.Response], Any],
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - what `read` makes
        auth = self._sign_in.credentials(company)
        headers = headers or self._headers
        try:
            return self.client.get(address, lambda: auth, read, headers)
        except (SessionEndedError, ForbiddenError) as error:
            if not self._sign_in.renew(auth):
                if isinstance(error, ForbiddenError):
                    raise
                raise UserError(_refused(error)) from None
        # With sessions 403 may mean the same as 401, so it is tried once with a new one.
        auth = self._sign_in.credentials(company)
        try:
            return self.client.get(address, lambda: auth, read, headers)
        except SessionEndedError as error:
            raise UserError(_refused(error)) from None


def _refused(error: SessionEndedError) -> str:
    return (
        f"odata_username, odata_password: the service refuses the sign-in. {error} It loads operators when it starts: "
        "after enabling one for OData or changing its OData password, the site in IIS must be restarted."
    )


def _xml(response: requests.Response) -> bytes:
    if b"Edmx" in response.content[:2000]:
        return response.content
    check_page(response)
    raise TransientError(f"GET {urlsplit(response.url).path}: the answer is no service description.")
