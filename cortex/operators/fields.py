"""Types of options that several operators have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from loom.graph.sizes import parse_size

Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=int | str)]
"""Bytes, also as text such as `10MB`, in powers of 1024."""

CollectionName = Annotated[str, StringConstraints(max_length=100, pattern=r"^\w([\w .+-]*\w)?$")]
"""Name of a collection: up to 100 letters, digits, spaces and . + - _."""
