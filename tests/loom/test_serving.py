import platform
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from ledgers import opening
from programs import Server, environment

from loom.client import LoomClient
from loom.errors import LoomError
from loom.local import hold_loom
from loom.serving import serve_in_background
from loom.settings import LoomSettings
from loom.steering import Depth, Pause
from loom.store.datafolder import holder_of


def settings_of(data_dir: Path, host: str, *names: str) -> LoomSettings:
    return LoomSettings.load({"data_dir": data_dir, "host": host, "port": 0, "allowed_hosts": list(names)}, {})


@pytest.mark.parametrize(("host", "own"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.2", "127.0.0.2")])
def test_others_on_this_machine_are_sent_where_they_are_answered(data_dir: Path, host: str, own: str) -> None:
    settings = settings_of(data_dir, host, "photos.example")
    with hold_loom(settings) as local, serve_in_background(local, settings) as address:
        port = address.rpartition(":")[2]
        written = holder_of(data_dir).address
        assert written == f"{own}:{port}"
        assert local.folder is not None
        bearer = {"Authorization": f"Bearer {local.folder.token()}"}
        with httpx.Client(headers=bearer, trust_env=False) as client:
            assert client.get(f"http://{written}/api/v1/pipelines").status_code == 200
            for name, status in {"photos.example": 200, "localhost": 200, "[::1]": 200, "evil.example": 421}.items():
                answer = client.get(f"http://{written}/healthz", headers={"Host": f"{name}:{port}"})
                assert (name, answer.status_code) == (name, status)
    assert holder_of(data_dir).address is None


def test_a_run_whose_process_died_has_ended_once_loom_is_served(tmp_path: Path) -> None:
    server = Server(environment(tmp_path), tmp_path)
    died = opening("ingest", host=platform.node())
    with hold_loom(LoomSettings.load({"data_dir": server.data}, {})) as local:
        local.loom.open_run(died)
    server.start()
    try:
        shown = server.get(f"/runs/{died.uuid}")
        assert (shown["state"], shown["finished"] is not None) == ("FAILED", True)
        with LoomClient(server.url, server.token) as client, pytest.raises(LoomError) as refused:
            client.pause_run(died.uuid, Pause(owner="user", reason="", depth=Depth.NEW, since=1))
        assert refused.value.code == "RUN_ENDED"
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["http://photos.example", "a b", "photos.example:port"])
def test_what_is_no_name_of_a_host_is_a_wrong_setting(data_dir: Path, name: str) -> None:
    settings = settings_of(data_dir, "127.0.0.1", name)
    with ExitStack() as stack:
        local = stack.enter_context(hold_loom(settings))
        with pytest.raises(LoomError, match="LOOM_ALLOWED_HOSTS") as refused:
            stack.enter_context(serve_in_background(local, settings))
    assert refused.value.code == "CONFIG_INVALID"
    assert name in refused.value.message
