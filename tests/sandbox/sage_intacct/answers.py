"""What a function answers with."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """The inside of a result, or a whole body when it has a content type of its own."""

    text: str
    content_type: str = ""
