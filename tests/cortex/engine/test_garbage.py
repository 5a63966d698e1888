import gc
import subprocess
import sys

from cortex.engine.garbage import looked_for_rarely


def test_the_process_is_left_as_it_was_found():
    gc.unfreeze()
    before = gc.get_threshold()
    with looked_for_rarely():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 1000
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_a_process_of_our_own_freezes_what_it_has():
    code = (
        "import gc; from cortex.engine.garbage import look_rarely; look_rarely();"
        " print(gc.get_freeze_count() > 1000, gc.get_threshold()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "20000"]
