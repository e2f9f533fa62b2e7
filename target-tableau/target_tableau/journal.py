"""What arrived, as Parquet files: the source of every extract and of every replay.

A load has a folder of its own, `journal/{load id}/`, with one file per batch and stream, the schemas as they
came, and the last STATE. Files are written beside their place and renamed, and only their owner may read them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import decimal
import glob
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from target_tableau.columns import METADATA_NAMES, Column, Plan, type_of
from target_tableau.errors import TargetTableauError
from target_tableau.private_files import OWNER_ONLY, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_DECODER = msgspec.json.Decoder(float_hook=decimal.Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")  # numbers as they came
_OWNER_ONLY_FOLDER = 0o700
_LOAD_ID_FORMAT = "%Y%m%dT%H%M%S%f"
_LOAD_ID = re.compile(r"^(\d{8}T\d{12})-[0-9a-f]+$")


def new_load_id(now: dt.datetime) -> str:
    """An id that sorts by time and is unique among machines: `20260131T120000123456-1f3a`."""
    return f"{now.astimezone(dt.UTC):{_LOAD_ID_FORMAT}}-{os.urandom(2).hex()}"


def file_name(stream: str) -> str:
    """A stream's name as a file name: letters that some file system refuses are percent-encoded."""
    return re.sub(
        r"[^\w .()-]|^\.|[ .]$", lambda odd: "".join(f"%{byte:02X}" for byte in odd[0].encode()), stream
    )


class Journal:
    """The journal of one load.

    Args:
        root: `{output_dir}/journal`.
        load_id: From `new_load_id`.
    """

    def __init__(self, root: Path, load_id: str) -> None:
        self.root = root
        self.folder = root / load_id
        self.files: dict[str, list[Path]] = {}

    def write_batch(self, stream: str, table: pa.Table) -> Path:
        """Keep a batch and return its file.

        Raises:
            TargetTableauError: The disk is full or the folder cannot be written.
        """
        files = self.files.setdefault(stream, [])
        path = self.folder / f"{file_name(stream)}-{len(files):05d}.parquet"
        with _writing(path):
            self._prepare()
            with written_whole(path, "wb") as out:
                # Dictionaries help neither the engine nor the size of ids and amounts; zstd reads fast.
                pq.write_table(table, out, compression="zstd", compression_level=1, use_dictionary=False)
        files.append(path)
        return path

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a schema or a STATE beside the batches."""
        path = self.folder / f"{file_name(name)}.json"
        with _writing(path):
            self._prepare()
            with written_whole(path, "w") as out:
                json.dump(value, out, default=str)

    def read_json(self, name: str) -> dict[str, Any] | None:
        """What `write_json` kept, or None.

        Raises:
            TargetTableauError: The file is damaged.
        """
        path = self.folder / f"{file_name(name)}.json"
        return _read_object(path) if path.exists() else None

    def schemas(self) -> dict[str, dict[str, Any]]:
        """Stream -> its SCHEMA message, of the streams that came in this load.

        Raises:
            TargetTableauError: A file is damaged.
        """
        found = map(_read_object, sorted(self.folder.glob("*.schema.json")))
        return {str(content["stream"]): content for content in found}

    def find(self, stream: str) -> list[Path]:
        """The files of a stream, in the order in which they came; they count as written by this journal."""
        files = sorted(self.folder.glob(f"{glob.escape(file_name(stream))}-[0-9]*.parquet"))
        self.files[stream] = files
        return files

    def batches(self, stream: str, borne: Mapping[str, Sequence[str]]) -> Iterator[pa.Table]:
        """The batches of a stream, in the order in which they came, under the names that its columns have now.

        Args:
            stream: The stream.
            borne: Property -> all names that its column has ever borne, the present one first.

        Raises:
            TargetTableauError: A file is damaged.
        """
        now = {name: names[0] for names in borne.values() for name in names}
        now |= {names[0]: names[0] for names in borne.values()}  # a name that is in use stays what it is
        for file in self.find(stream):
            table = self.read_batch(file)
            yield table.rename_columns([now.get(name, name) for name in table.column_names])

    @staticmethod
    def plan_of_file(file: Path, plan: Plan) -> tuple[int, Plan]:
        """How many rows a file has, and the plan under which it was written.

        Raises:
            TargetTableauError: The file is damaged, or was written under another key.
        """
        with _reading(file), pq.ParquetFile(file) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
        missing = [key for key in plan.keys if key not in schema.names]
        if missing:
            raise TargetTableauError(
                f"The journal file {file} has no column {', '.join(missing)}, which is part of the key of stream "
                f"'{plan.stream}' now: it was written under other names or another key. Run the pipeline again instead."
            )
        own = {column.name: column for column in plan.columns}
        fields = [(field.name, type_of(field.type)) for field in schema if field.name not in METADATA_NAMES]
        columns = tuple(
            dataclasses.replace(own[name], type=kind) if name in own else Column(name, name, kind)
            for name, kind in fields
        )
        return rows, dataclasses.replace(plan, columns=columns)

    @staticmethod
    def read_batch(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
        """What `write_batch` kept, or some columns of it.

        Raises:
            TargetTableauError: The file is damaged.
        """
        with _reading(file):
            return pq.read_table(file, columns=columns)

    def _prepare(self) -> None:
        self.folder.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)

    def prune(self, keep_days: int, now: dt.datetime) -> list[str]:
        """Remove the folders of loads older than `keep_days` and return their ids. This load's own folder stays."""
        if not self.root.is_dir():
            return []
        oldest = (now.astimezone(dt.UTC) - dt.timedelta(days=keep_days)).strftime(_LOAD_ID_FORMAT)
        removed = []
        for folder in sorted(self.root.iterdir()):
            stamp = _LOAD_ID.match(folder.name)
            if stamp and stamp[1] < oldest and folder != self.folder:
                shutil.rmtree(folder)
                removed.append(folder.name)
        return removed


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise TargetTableauError(
            f"{path} cannot be written: {failure.strerror or failure}. Free some disk space or change output_dir; "
            "nothing was published."
        ) from failure


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as failure:  # Arrow's errors about the content of files are ValueErrors
        raise TargetTableauError(
            f"The journal file {path} cannot be read ({failure}). Run the pipeline again instead of the replay."
        ) from failure


def _read_object(path: Path) -> dict[str, Any]:
    with _reading(path):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def newest_schemas(root: Path) -> dict[str, dict[str, Any]]:
    """Stream -> its last SCHEMA message, of all loads that a journal still holds."""
    schemas: dict[str, dict[str, Any]] = {}
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if _LOAD_ID.match(folder.name):
            schemas |= Journal(root, folder.name).schemas()
    return schemas


class Quarantine:
    """Records that did not fit, one JSON object with `reason` and `record` per line, in a file per load and stream.

    Args:
        root: `{output_dir}/rejected`.
        load_id: From `new_load_id`.
    """

    def __init__(self, root: Path, load_id: str) -> None:
        self._folder = root / load_id

    def write(self, stream: str, record: Mapping[str, Any], reason: str) -> None:
        """Keep a record with the reason why it did not fit.

        Raises:
            TargetTableauError: The disk is full or the folder cannot be written.
        """
        path = self._folder / f"{file_name(stream)}.jsonl"
        line = _ENCODER.encode({"reason": reason, "record": record}) + b"\n"
        with _writing(path):
            self._folder.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY), "ab") as out:
                out.write(line)

    def read(self, streams: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Stream -> the records that were kept of it, in the order they came."""
        kept: dict[str, list[dict[str, Any]]] = {}
        for stream in streams:
            path = self._folder / f"{file_name(stream)}.jsonl"
            if path.exists():
                lines = path.read_bytes().splitlines()
                kept[stream] = [_DECODER.decode(line)["record"] for line in lines]
        return kept

    def remove(self, streams: Iterable[str]) -> None:
        """Throw the records of some streams away: they have been taken up elsewhere."""
        for stream in streams:
            (self._folder / f"{file_name(stream)}.jsonl").unlink()
        if not any(self._folder.iterdir()):
            self._folder.rmdir()
