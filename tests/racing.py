"""Two or more at the same moment, each on a connection of its own."""

import threading

from django.db import connection


def at_once(*actions):
    """Run the actions in threads that start together; returns what each gave back or raised, in their order."""
    together, ends = threading.Barrier(len(actions)), [None] * len(actions)

    def run(number, action):
        try:
            connection.ensure_connection()
            together.wait(30)
            ends[number] = action()
        except Exception as error:  # the loser's exception is what the test looks at
            ends[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return ends


def stopped_before(monkeypatch, where, name):
    """Make the next caller of a function wait before it; returns (it has arrived, let it go on)."""
    arrived, go_on, honest = threading.Event(), threading.Event(), getattr(where, name)

    def waiting(*args, **kwargs):
        if not arrived.is_set():
            arrived.set()
            assert go_on.wait(60)
        return honest(*args, **kwargs)

    monkeypatch.setattr(where, name, waiting)
    return arrived, go_on


def beside(action, failed=None):
    """Start an action in a thread with a connection of its own; what it raises goes into `failed`."""

    def run():
        try:
            action()
        except Exception as error:  # the test looks at it
            if failed is None:
                raise
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
