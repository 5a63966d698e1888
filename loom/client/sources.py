"""Sources and limits, over HTTP."""

from __future__ import annotations

from loom.client.http import Http, path_of
from loom.shapes import Page
from loom.sources import Source, SourceShape
from loom.wire.shapes import Counted
from loom.wire.sources import LimitsWire, PathWire, SourceSeenWire, source_to_wire


class RemoteSources:
    """See `loom.verbs.Sources` and `loom.verbs.Limits`."""

    _http: Http

    def sources(self, *, host: str | None = None) -> list[SourceShape]:
        return self._http.everything("/sources", Page[SourceShape], host=host)

    def source(self, name: str) -> SourceShape:
        return self._http.get(path_of("sources", name), SourceShape)

    def save_source(self, source: Source) -> SourceShape:
        return self._http.put(path_of("sources", source.name), SourceShape, source_to_wire(source))

    def remove_source(self, name: str) -> None:
        self._http.delete(path_of("sources", name), {})

    def move_source(self, name: str, path: bytes) -> int:
        return self._http.post(path_of("sources", name, "move"), Counted, PathWire(path_b64=path)).count

    def source_seen(self, name: str, *, reachable: bool) -> None:
        self._http.tell(path_of("sources", name, "seen"), SourceSeenWire(reachable=reachable))

    def limits(self) -> dict[str, int]:
        return self._http.get("/limits", LimitsWire).limits

    def set_limit(self, name: str, number: int | None) -> dict[str, int]:
        path = path_of("limits", name)
        if number is not None:
            return self._http.put(path, LimitsWire, {"number": number}).limits
        self._http.delete(path, {})
        return self.limits()
