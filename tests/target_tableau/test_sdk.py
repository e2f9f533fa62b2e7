"""The SDK's own suite for targets, with a look at what was produced (the suite itself only asks for no exception)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import (
    TargetArrayData,
    TargetCamelcaseComplexSchema,
    TargetCamelcaseTest,
    TargetDuplicateRecords,
    TargetEncodedStringData,
    TargetMultipleStateMessages,
    TargetNoPrimaryKeys,
    TargetOptionalAttributes,
    TargetPrimaryKeyUpdates,
    TargetSchemaUpdates,
    TargetSpecialCharsInAttributes,
)
from typing_extensions import override

from target_tableau.target import TargetTableau
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = Path(tempfile.mkdtemp(prefix="target-tableau-sdk-"))


@pytest.fixture(autouse=True)
def _empty_folder() -> Iterator[None]:
    yield
    shutil.rmtree(_FOLDER, ignore_errors=True)


def rows(stream: str, sql: str) -> list[list[Any]]:
    return query(_FOLDER / f"{stream}.hyper", sql)


class ArrayData(TargetArrayData):
    @override
    def validate(self) -> None:
        assert rows("test_array_data", "SELECT fruits FROM {t} ORDER BY id")[0] == [
            '["apple","orange","pear"]'
        ]


class Camelcase(TargetCamelcaseTest):
    @override
    def validate(self) -> None:
        assert rows("TestCamelcase", 'SELECT COUNT("Id"), COUNT("clientName") FROM {t}') == [[2, 2]]


class CamelcaseComplex(TargetCamelcaseComplexSchema):
    @override
    def validate(self) -> None:
        # the file holds no record: the extract is there, empty, with all its columns
        assert rows("ForecastingTypeToCategory", 'SELECT "Id", "CreatedDate" FROM {t}') == []


class DuplicateRecords(TargetDuplicateRecords):
    @override
    def validate(self) -> None:
        assert rows("test_duplicate_records", "SELECT id, metric FROM {t} ORDER BY id") == [[1, 100], [2, 20]]


class EncodedString(TargetEncodedStringData):
    @override
    def validate(self) -> None:
        texts = [row[0] for row in rows("test_strings", "SELECT info FROM {t} ORDER BY id")]
        assert texts[1] == "απλή συμβολοσειρά"
        assert texts[5] == 'various " \\ / \n escape sequences'
        assert texts[10] == "Control Characters in string: \0 A \1"


class NoPrimaryKeys(TargetNoPrimaryKeys):
    @override
    def validate(self) -> None:
        assert rows("test_no_pk", "SELECT id, metric FROM {t} ORDER BY id") == [[1, 11], [2, 22], [3, 33]]


class OptionalAttributes(TargetOptionalAttributes):
    @override
    def validate(self) -> None:
        optional = rows("test_optional_attributes", "SELECT optional FROM {t} ORDER BY id")
        assert optional == [["This is optional"], [None], ["Also optional"], [None]]


class PrimaryKeyUpdates(TargetPrimaryKeyUpdates):
    @override
    def validate(self) -> None:
        assert rows("example_stream", "SELECT id, name FROM {t} ORDER BY id") == [[1, "Alice"], [2, "Bob"]]


class SchemaUpdates(TargetSchemaUpdates):
    @override
    def validate(self) -> None:
        assert rows("test_schema_updates", "SELECT id, a3, a6 FROM {t} WHERE id IN (1, 6) ORDER BY id") == [
            [1, None, None],
            [6, True, 341],
        ]
        assert rows("test_schema_updates", "SELECT a4 FROM {t} WHERE id = 3") == [['{"id":1,"value":1}']]


class SpecialChars(TargetSpecialCharsInAttributes):
    @override
    def validate(self) -> None:
        assert rows("test%3ASpecialChars%21in%3Fattributes", "SELECT COUNT(*) FROM {t}") == [[1]]


class OneStateAtTheEnd(TargetMultipleStateMessages):
    """The SDK's own expectation is a STATE per message; ours come only after what they cover is verified."""

    @override
    def test(self) -> None:
        self.runner.sync_all()
        states: list[Any] = list(self.runner.state_messages)
        assert states == [{"test_multiple_state_messages_a": 5, "test_multiple_state_messages_b": 6}]


_OURS: dict[str, Any] = {
    "array_data": ArrayData,
    "camelcase": Camelcase,
    "camelcase_complex_schema": CamelcaseComplex,
    "duplicate_records": DuplicateRecords,
    "encoded_string_data": EncodedString,
    "no_primary_keys": NoPrimaryKeys,
    "optional_attributes": OptionalAttributes,
    "pk_updates": PrimaryKeyUpdates,
    "schema_updates": SchemaUpdates,
    "special_chars_in_attributes": SpecialChars,
}

_SUITE: SingerTestSuite[Any] = SingerTestSuite(
    kind="target",
    tests=[*(_OURS.get(str(test.name), test) for test in target_tests.tests), OneStateAtTheEnd],
)


def test_every_overridden_test_is_part_of_the_suite() -> None:
    assert set(_OURS) <= {test.name for test in target_tests.tests}


TestTargetTableau = get_target_test_class(
    TargetTableau,
    config={"output_dir": str(_FOLDER)},
    custom_suites=[_SUITE],
    include_target_tests=False,
)
