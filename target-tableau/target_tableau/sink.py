"""What does not come in blocks of RECORD lines: mapped, flattened or nested records, and files of BATCH messages."""

from __future__ import annotations

import gzip
from typing import IO, TYPE_CHECKING, Any

import pyarrow.parquet as pq
from singer_sdk.helpers._batch import StorageTarget
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_tableau.errors import TargetTableauError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers._batch import BaseBatchFileEncoding
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_tableau.target import TargetTableau

_BATCH_ROWS = 10_000
_BLOCK_BYTES = 8 * 1024 * 1024
_GZIP = b"\x1f\x8b"


class RecordSink(BatchSink):
    """Collects records and hands them to the run in batches.

    Types are checked where records become columns, with messages that name stream, key, field and value; the
    SDK's own validation and its parsing of dates in place are therefore off.
    """

    MAX_SIZE_DEFAULT = _BATCH_ROWS

    @override
    def __init__(self, target: TargetTableau, *args: Any, **kwargs: Any) -> None:
        super().__init__(target, *args, **kwargs)
        self._target: TargetTableau = target

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

    @override
    def process_batch_files(self, encoding: BaseBatchFileEncoding, files: Sequence[str]) -> None:
        """Load the files of a BATCH message, each piece by piece.

        Raises:
            TargetTableauError: A file is missing, or of a format that is not known.
        """
        storage = self.batch_config.storage if self.batch_config else None
        for url in files:
            head, tail = StorageTarget.split_url(url)
            try:
                with (storage or StorageTarget.from_url(head)).open(tail, mode="rb") as file:
                    rows = self._load_file(str(encoding.format), file)
            except OSError as failure:
                raise TargetTableauError(
                    f"Stream '{self.stream_name}': the batch file {tail} cannot be read: "
                    f"{failure.strerror or failure}. It must lie where this loader can reach it."
                ) from failure
            self.record_counter_metric.increment(rows)

    def _load_file(self, file_format: str, file: IO[bytes]) -> int:
        run = self._target.run
        if file_format.endswith("parquet"):
            batches = pq.ParquetFile(file).iter_batches(_BATCH_ROWS)
            return sum(
                run.add_records(self.stream_name, batch.to_pylist(), [None] * batch.num_rows)
                for batch in batches
            )
        if file_format.endswith("jsonl"):
            return sum(run.add_block(self.stream_name, block) for block in _record_blocks(file))
        raise TargetTableauError(
            f"Stream '{self.stream_name}': batch files of format '{file_format}' are not known; use jsonl or parquet."
        )


def _record_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Bare records, one per line, as blocks of RECORD-like lines.

    Singer SDK taps compress their files whatever the message says, so the file itself is asked.
    """
    zipped = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if zipped else file
    parts: list[bytes] = []
    size = 0
    for line in lines:
        record = line.strip()
        if not record:
            continue
        parts += [b'{"record":', record, b"}\n"]
        size += len(record)
        if size > _BLOCK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)
