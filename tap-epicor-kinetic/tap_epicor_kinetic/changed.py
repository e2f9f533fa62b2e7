"""Tells cheaply whether anything is newer than the bookmarks, so that a scheduler need not run a pipeline for nothing.

It makes one call of one row per stream and company, and stops at the first that has something new.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click
from singer_sdk.plugin_base import _ConfigInput

from tap_epicor_kinetic.errors import CallBudgetSpentError, ForbiddenError, UserError
from tap_epicor_kinetic.paging import behind
from tap_epicor_kinetic.streams import sources_of
from tap_epicor_kinetic.streams.columns import SYS_REV_ID
from tap_epicor_kinetic.tap import TapEpicorKinetic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_epicor_kinetic.streams.source import Source

NOTHING_NEW: Final = 3
"""Exit code when nothing is newer than the bookmarks."""


class Changes:
    """Looks for what is newer than the bookmarks.

    Args:
        tap: Gives settings and connection.
        state: The state of the last run.
        streams: Streams to look at; empty for those that the state knows.

    Raises:
        UserError: There is no such stream.
    """

    def __init__(self, tap: TapEpicorKinetic, state: dict[str, Any], streams: Sequence[str] = ()) -> None:
        self._tap = tap
        # What `meltano state get` prints is the state within an envelope.
        self._bookmarks: dict[str, Any] = (state.get("singer_state") or state).get("bookmarks") or {}
        sources = {source.stream: source for source in sources_of(tap.config)}
        if unknown := [name for name in streams if name not in sources]:
            raise UserError(f"--stream: there is no stream {', '.join(unknown)}")
        chosen = streams or [name for name in sources if name in self._bookmarks]
        self._sources = [sources[name] for name in chosen]

    def first(self) -> str:
        """The first stream that has something new, in words; empty when none has.

        Raises:
            ApiError: The server does not tell.
        """
        if not self._sources:
            return "nothing has been read yet"
        return next(self._found(), "")

    def _found(self) -> Iterator[str]:
        cannot_tell = []
        for source in self._sources:
            if not _is_by_number(source):
                cannot_tell.append(source.stream)
                continue
            for company in self._tap.site.companies:
                place = self._place(source.stream, company)
                bookmark = place.get("replication_key_value")
                if not isinstance(bookmark, int):
                    bookmark = 0  # an empty table leaves no bookmark; any row is new then
                if self._has_newer(source, company, bookmark, str(place.get("filter") or "")):
                    yield f"{source.stream} ({company}) has rows newer than {bookmark}"
        if cannot_tell:
            self._tap.logger.info("Not looked at, because they have no SysRevID: %s", ", ".join(cannot_tell))

    def _place(self, stream: str, company: str) -> dict[str, Any]:
        places = (self._bookmarks.get(stream) or {}).get("partitions") or []
        return next((place for place in places if place.get("context") == {"company": company}), {})

    def _has_newer(self, source: Source, company: str, bookmark: int, where: str) -> bool:
        column = source.replication_key
        client = self._tap.client
        try:
            answer = client.get(
                client.site.company(company, source.path),
                {**dict(source.parameters), **behind(column, bookmark, where), "$select": column, "$top": 1},
            )
        except ForbiddenError as error:
            if not self._tap.config["skip_forbidden_streams"]:
                raise
            self._tap.logger.warning("%s (%s): skipped. %s", source.stream, company, error)
            return False
        return bool(answer["value"])


def _is_by_number(source: Source) -> bool:
    """Whether its rows are read by a number: else what is new cannot be told by one call."""
    return source.replication_key.endswith(SYS_REV_ID) and source.paging in {"", "keyset"}


@click.command(
    help=f"Exit with 0 when anything is newer than the state, and with {NOTHING_NEW} when nothing is."
)
@click.option("--config", multiple=True, help="Configuration file, or ENV for environment variables.")
@click.option(
    "--state", type=click.File(encoding="utf-8"), help="State of the last run; - for standard input."
)
@click.option("--stream", multiple=True, help="Look at this stream; may be given several times.")
def main(config: tuple[str, ...], state: Any, stream: tuple[str, ...]) -> None:  # noqa: ANN401 - an open file
    """Look for changes and say so by the exit code."""
    with TapEpicorKinetic.one_line():
        given = _ConfigInput.from_cli_args(*config)
        tap = TapEpicorKinetic(config=given.config, parse_env_config=given.parse_env, setup_mapper=False)
        with contextlib.closing(tap):
            try:
                found = Changes(tap, _read(state), stream).first()
            except CallBudgetSpentError as error:
                raise UserError(
                    f"{error}; nothing new was found until then, and not everything was looked at"
                ) from None
    click.echo(found or "nothing new")
    sys.exit(0 if found else NOTHING_NEW)


def _read(file: Any) -> dict[str, Any]:  # noqa: ANN401 - an open file
    text = file.read().strip() if file else ""
    try:
        state = json.loads(text) if text else {}
    except ValueError:
        raise UserError("--state: this is not JSON") from None
    if not isinstance(state, dict):
        raise UserError("--state: this is not a Singer state")
    return state
