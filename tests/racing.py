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
