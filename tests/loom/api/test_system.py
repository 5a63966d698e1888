from pathlib import Path

from loom.store.schema import HEAD
from loom.version import VERSION


def test_the_system_tells_its_database_and_its_disk(http, tmp_path):
    told = http.get("/system").json()
    assert told["version"] == VERSION
    database = told["database"]
    assert (database["kind"], database["place"], database["schema"]) == ("sqlite", f"{tmp_path}/loom.db", HEAD)
    assert database["bytes"] >= Path(database["place"]).stat().st_size
    assert told["disk"]["path"] == f"{tmp_path}/blobs"
    assert 0 < told["disk"]["free"] <= told["disk"]["total"]
