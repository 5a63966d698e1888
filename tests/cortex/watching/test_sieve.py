import pytest

from cortex.settings import UNFINISHED
from cortex.watching.sieve import Sieve
from loom.errors import LoomError

ROOT = b"/photos"


@pytest.fixture
def sieve() -> Sieve:
    made = Sieve((*UNFINISHED, "/private"), [b"/photos/data"])
    made.hidden = False
    return made


@pytest.mark.parametrize(
    "name",
    [
        b"film.mp4.part", b"a/film.crdownload", b"a/~$letter.docx", b".~lock.table.ods#", b".one.txt.swp",
        b"x.filepart", b"~syncthing~one.jpg.tmp", b".one.jpg.a1B2c3", b".hidden/one.jpg", b"a/.hidden",
        b"Thumbs.db", b"@eaDir/one.jpg", b"Film.download/Film.mp4", b"private/one.jpg", b"data/loom.db-wal", b"data",
    ],
)  # fmt: skip
def test_what_means_nothing(sieve: Sieve, name: bytes) -> None:
    assert sieve.leaves(ROOT, ROOT + b"/" + name)


@pytest.mark.parametrize("name", [b"one.jpg", b"a/b/part", b"a/.loomignore", b"tmp/one.jpg", b"data2/one", b"\xff.jpg"])
def test_what_means_something(sieve: Sieve, name: bytes) -> None:
    assert not sieve.leaves(ROOT, ROOT + b"/" + name)


def test_the_root_itself_means_something_wherever_it_lies(sieve: Sieve) -> None:
    assert not sieve.leaves(b"/home/.photos", b"/home/.photos")
    assert not sieve.leaves(b"/home/.photos", b"/home/.photos/one.jpg")
    assert not sieve.leaves(b"/", b"/one.jpg")


def test_hidden_files_mean_something_to_who_looks_at_them(sieve: Sieve) -> None:
    sieve.hidden = True
    assert not sieve.leaves(ROOT, b"/photos/.hidden/one.jpg")
    assert sieve.leaves(ROOT, b"/photos/.one.jpg.a1B2c3")


@pytest.mark.parametrize("pattern", ["!", "[z-a]"])
def test_a_pattern_without_meaning_is_wrong_usage(pattern: str) -> None:
    with pytest.raises(LoomError, match="a pattern cannot be understood"):
        Sieve([pattern], [])
