"""Types of options that several operators have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from loom.graph.sizes import parse_size

Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=int | str)]
"""Bytes, also as text such as `10MB`, in powers of 1024."""
