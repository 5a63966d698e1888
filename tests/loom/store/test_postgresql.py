"""What only a database with several writers can do to us."""

from __future__ import annotations

import threading

from ledgers import COMPUTED, SilentBus, artifact, begin, closing, done, found, report, toy_operators

from loom.errors import LoomError
from loom.service import LocalLoom
from loom.store.database import Database


def test_writers_of_the_same_assets_do_not_wait_for_each_other_in_a_circle(postgresql, tmp_path):
    url = postgresql.new_database()
    Database.open(url).close()
    refused: list[LoomError] = []

    def ingest(order: int) -> None:
        loom = LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators())
        new, ref = artifact(b"tiny")
        try:
            loom.put_artifacts([new])
            run = begin(loom, host=f"host{order}")
            for turn in range(8):
                mime = f"image/{(turn + order) % 2}"
                hashed = done(0, b'{"sha256":"%064x"}' % turn)
                batch = [
                    report(str(n), found(b"/d/%d" % n), results=[done(1, artifacts=(ref,)), hashed], mime=mime,
                           outcomes=[COMPUTED, COMPUTED], settled=turn % 2 == 0, collections=("one", "two"))
                    for n in range(60)
                ]  # fmt: skip
                loom.report(run, batch[::order])
            loom.finish_run(closing(run))
        except LoomError as error:
            refused.append(error)
        finally:
            loom.close()

    threads = [threading.Thread(target=ingest, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    loom = LocalLoom(Database.open(url), tmp_path / "blobs", SilentBus(), toy_operators())
    assets = loom.assets(limit=500).items
    assert len(assets) == 60
    assert all(len(asset.locations) == 2 for asset in assets)
    loom.close()
