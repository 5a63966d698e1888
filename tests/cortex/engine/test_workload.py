from sandboxes import item

from cortex.engine.autopsy import Verdict
from cortex.engine.records import Handed
from cortex.engine.workload import MAX_BATCH_BYTES, Workload


def tokens(work: Workload, most: int) -> list[int]:
    return [one.token for one in work.take(most)]


def test_no_more_is_taken_than_there_is_room_for() -> None:
    work = Workload(iter([item(token) for token in range(10)]))
    work.gather(0.0, 4)
    assert work.waiting == 4
    assert tokens(work, 3) == [0, 1, 2]
    work.gather(0.0, 100)
    assert tokens(work, 100) == [3, 4, 5, 6, 7, 8, 9]
    assert work.exhausted


def test_a_source_with_nothing_is_not_at_its_end() -> None:
    work = Workload(iter([item(1), None, item(2)]))
    work.gather(0.0, 10)
    assert (work.waiting, work.source_is_idle, work.exhausted) == (1, True, False)
    work.gather(0.0, 10)
    assert (work.waiting, work.source_is_idle, work.exhausted) == (2, False, True)


def test_a_batch_is_bounded_by_bytes_and_a_large_file_travels_alone() -> None:
    half = MAX_BATCH_BYTES // 2
    sizes = [half, half, 1, 2 * MAX_BATCH_BYTES, 1, 1]
    work = Workload(iter([item(token, size=size) for token, size in enumerate(sizes)]))
    work.gather(0.0, 100)
    assert [tokens(work, 32) for _ in range(4)] == [[0, 1], [2], [3], [4, 5]]


def test_what_is_handed_in_waits_for_its_time() -> None:
    work = Workload(iter(()))
    work.put(item(1), 5.0)
    work.put(item(2), 1.0)
    work.put(item(3), 1.0)
    assert len(work) == 3
    work.gather(1.0, 0)
    assert (tokens(work, 10), work.next_due, len(work)) == ([2, 3], 5.0, 1)
    work.gather(5.0, 0)
    assert tokens(work, 10) == [1]


def test_what_comes_back_goes_first_and_suspects_apart() -> None:
    work = Workload(iter([item(token) for token in range(3)]))
    work.gather(0.0, 10)
    work.put_back([Verdict(item(10)), Verdict(item(11), alone=True), Verdict(item(12))])
    assert work.backlog == 6
    assert work.take_suspect() == item(11)
    assert work.take_suspect() is None
    assert tokens(work, 10) == [10, 12, 0, 1, 2]


def test_at_the_end_nothing_more_is_waited_for() -> None:
    work = Workload(iter([item(1)]))
    work.put(item(2), 1000.0)
    work.gather(0.0, 0)
    work.end()
    work.gather(0.0, 10)
    assert len(work) == 0
    assert work.exhausted


def test_what_is_handed_along_counts_for_the_size_of_a_batch() -> None:
    half = Handed(b"digest", bytes(MAX_BATCH_BYTES // 2))
    work = Workload(iter([item(number)._replace(handed=(half,)) for number in range(3)]))
    work.gather(0.0, 3)
    assert [len(work.take(3)), len(work.take(3))] == [1, 1], "two of them and the files are more than may go together"
