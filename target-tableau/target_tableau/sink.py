"""The record-by-record path: for stream maps, flattening and nested values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_tableau.columns import DELETED_AT

if TYPE_CHECKING:
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_tableau.target import TargetTableau


class RecordSink(BatchSink):
    """Collects mapped records and hands them to the run in batches.

    Types are checked where records become columns, with messages that name stream, key, field and value; the
    SDK's own validation and its parsing of dates in place are therefore off.
    """

    MAX_SIZE_DEFAULT = 10_000
    _target: TargetTableau

    @override
    def __init__(self, target: TargetTableau, *args: Any, **kwargs: Any) -> None:
        super().__init__(target, *args, **kwargs)
        self._target = target

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        return True  # keeps `_sdc_deleted_at`; the loader's own columns are added to whole batches

    @override
    def _add_sdc_metadata_to_schema(self) -> None:
        """The loader adds its columns by itself."""

    @override
    def _add_sdc_metadata_to_record(
        self, record: dict[str, Any], message: dict[str, Any], context: dict[str, Any]
    ) -> None:
        record["_time_extracted"] = message.get("time_extracted")

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        records: list[dict[str, Any]] = context["records"]
        times = [record.pop("_time_extracted", None) for record in records]
        self._target.run.add_records(self.stream_name, records, times)

    @property
    def sends_tombstones(self) -> bool:
        """Whether the stream's schema knows deletions."""
        return DELETED_AT in self.original_schema.get("properties", {})
