"""What can go wrong, by what the user has to do about it.

    TargetTableauError
    ├── SettingError        a setting must be changed; nothing was read or written
    ├── BadRecordError      a record does not fit its schema; the tap or its schema must be changed
    ├── ExtractError        the extract on disk is not what it must be; nothing was replaced
    ├── LockedError         another run works on the same extracts
    └── TableauError        Tableau refused, or could not be reached; the old data is still there
        ├── JobError        a Tableau job failed, was cancelled or did not end in time
        └── RefreshError    the data has landed, but something that depends on it was not refreshed

All are told to the user in one line. Anything else that is raised is a bug and shows its traceback.
"""

from __future__ import annotations


class TargetTableauError(Exception):
    """Base of everything that is told to the user in one line."""


class SettingError(TargetTableauError):
    """A setting is missing or wrong."""


class BadRecordError(TargetTableauError):
    """A record does not fit the schema of its stream.

    Attributes:
        stream: Stream the record came in.
        key: The record's key properties and their values.
        field: Property that does not fit.
        value: The offending value, shortened.
        rule: What a value must be like.
    """

    def __init__(self, stream: str, key: dict[str, object], field: str, value: object, rule: str) -> None:
        self.stream = stream
        self.key = key
        self.field = field
        self.value = shorten(value)
        self.rule = rule
        named = ", ".join(f"{name}={shorten(part)}" for name, part in key.items()) or "no key"
        super().__init__(f"Stream '{stream}', record ({named}), field '{field}': {self.value} - {rule}")


class ExtractError(TargetTableauError):
    """An extract cannot be read, built or verified."""


class LockedError(TargetTableauError):
    """Another run holds the extracts of this source."""


class TableauError(TargetTableauError):
    """Tableau Server or Cloud refused a call or could not be reached.

    Attributes:
        code: Tableau's six-digit error code, or an empty string.
    """

    def __init__(self, message: str, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class JobError(TableauError):
    """A Tableau job ended badly or not at all."""


class RefreshError(TableauError):
    """Something that depends on published data was not refreshed; the data itself has landed."""


_LONGEST_VALUE = 80


def shorten(value: object) -> str:
    """Show a value so that it fits a line of a message."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}... ({len(text)} characters)"
