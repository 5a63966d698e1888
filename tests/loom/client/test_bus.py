import threading
from uuid import UUID, uuid4

import pytest

from loom.bus.frames import GapFrame, HelloFrame, NodeFrame, ProgressFrame, RunFrame
from loom.client import LoomClient
from loom.errors import LoomError
from loom.events import NodeEvent, Progress, RunEvent, RunHead
from loom.model import AssetCounts
from loom.verbs import Said

RUN = RunHead(UUID(int=7), "photos", False)


def events(count, message="x"):
    return [NodeEvent(1_000, "a", bytes(32), "FAILED", error=("TIMED_OUT", message)) for _ in range(count)]


def numbers(frames):
    return [frame.seq for frame in frames if isinstance(frame, NodeFrame)]


def test_what_is_published_is_heard(client, hub):
    client.publish(RUN, [RunEvent(0, "STARTED")])
    client.publish(RUN, events(3))
    assert hub.seq == 4, "publish returns when Loom has numbered the events"
    heard = list(client.events(0, idle=0.3))
    assert heard[0] == HelloFrame(4)
    assert [type(frame) for frame in heard[1:]] == [RunFrame, NodeFrame, NodeFrame, NodeFrame]
    assert heard[2].run == RUN.uuid
    assert numbers(client.events(0, type=["node"], batch=10, idle=0.3)) == [2, 3, 4]


def test_a_large_batch_goes_in_several_messages(client, hub):
    client.publish(RUN, events(3000, "long " * 200))
    assert hub.seq == 3000


def test_progress_goes_over_the_connection_that_is_there(client, hub):
    progress = Progress(assets=AssetCounts(seen=3), nodes={}, current=("odd \udcff name",))
    client.progress(RUN, progress)
    assert hub.live() == [], "no connection is made for it"
    client.publish(RUN, [RunEvent(0, "STARTED")])
    with hub.subscribe():
        client.progress(RUN, progress)
        assert hub.live()[0].progress.assets.seen == 3


def test_a_lost_connection_is_made_again_and_nothing_is_published_twice(client, hub):
    client.publish(RUN, events(1))
    client._publisher._connection.socket.shutdown(2)
    client.publish(RUN, events(1))
    assert hub.seq == 2
    publisher = client._publisher
    lost = []

    def lose_the_answer(*args, **options):
        lost.append(publisher._connection)
        raise OSError("the line went dead after the message arrived")

    real = publisher._connection.recv
    publisher._connection.recv = lambda *args, **options: (real(*args, **options), lose_the_answer())
    client.publish(RUN, events(1))
    assert len(lost) == 1
    assert hub.seq == 3


def test_what_is_refused_is_raised(client):
    with pytest.raises(LoomError) as refused:
        client.publish(RunHead(RUN.uuid, "p" * 65, False), events(1))
    assert refused.value.code == "REQUEST_INVALID"
    client.publish(RUN, events(1))


def test_a_server_that_is_away_is_told_and_found_again(start, hub):
    first = start(0)
    port = first.port
    with LoomClient(first.url, "open sesame", timeout=5) as client:
        client.publish(RUN, events(1))
        first.stop()
        with pytest.raises(LoomError) as gone:
            client.publish(RUN, events(1))
        assert gone.value.code == "LOOM_UNREACHABLE"
        client.progress(RUN, Progress(assets=AssetCounts(), nodes={}))
        start(port)
        client.publish(RUN, events(1))
        assert hub.seq == 2


def test_a_listener_goes_on_where_it_was(start, hub):
    first = start(0)
    port = first.port
    with LoomClient(first.url, "open sesame", timeout=5) as client:
        heard = iter(client.events())
        assert next(heard) == HelloFrame(0)
        hub.publish(RUN, events(2))
        assert numbers([next(heard), next(heard)]) == [1, 2]
        first.stop()
        hub.publish(RUN, events(2))
        timer = threading.Timer(0.2, start, (port,))
        timer.start()
        assert next(heard) == HelloFrame(4)
        assert numbers([next(heard), next(heard)]) == [3, 4]
        timer.join()
        heard.close()


def test_a_listener_learns_what_it_missed_for_good(client, hub):
    hub.publish(RUN, events(20_010))
    heard = iter(client.events(5))
    assert [next(heard), next(heard)] == [HelloFrame(20_010), GapFrame(6, 10)]
    heard.close()
    hub.progress(RUN, Progress(assets=AssetCounts(), nodes={}))
    assert [type(frame) for frame in client.events(type=["progress"], idle=0.3)] == [HelloFrame, ProgressFrame]


def test_a_listener_gives_up_when_loom_stays_away(start):
    server = start(0)
    with LoomClient(server.url, "open sesame", timeout=5) as client:
        heard = iter(client.events(patience=0.3))
        next(heard)
        server.stop()
        with pytest.raises(LoomError) as gone:
            next(heard)
        assert gone.value.code == "LOOM_UNREACHABLE"


def test_what_is_said_again_under_its_name_is_published_once(client, hub):
    said = Said(uuid4(), 1)
    many = events(3000, "long " * 200)
    client.publish(RUN, many, said=said)
    with LoomClient(client._address.url, "open sesame", timeout=5) as another:
        another.publish(RUN, many, said=said)
        assert hub.seq == 3000, "in several pieces, and by another process"
        another.publish(RUN, many[:1], said=Said(said.by, 2))
    assert hub.seq == 3001
