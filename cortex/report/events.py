"""`--events`: what goes over the bus of this process, reported as it comes."""

from __future__ import annotations
