import os
import signal

from sandboxes import in_child

from cortex.engine import signals


def test_what_comes_while_held_back_is_delivered_at_the_end() -> None:
    def work() -> bool:
        told: list[str] = []
        signal.signal(signal.SIGINT, lambda *_: told.append("signal"))
        with signals.held_back():
            os.kill(os.getpid(), signal.SIGINT)
            told.append("inside")
        return told == ["inside", "signal"] and signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()

    assert in_child(work) == 0


def test_a_helper_that_was_held_back_ignores_what_came_and_what_comes() -> None:
    def work() -> bool:
        with signals.held_back():
            os.kill(os.getpid(), signal.SIGINT)
            signals.leave_to_parent()
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        return signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()

    assert in_child(work) == 0
