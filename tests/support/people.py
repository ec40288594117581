"""Several people at once."""

import threading

from django.db import connections


def at_once(*acts):
    """Call all of them at the same moment, each in a thread with a connection of its own. Returns what they return."""
    barrier = threading.Barrier(len(acts))
    results = [None] * len(acts)

    def act(place):
        try:
            barrier.wait(10)
            results[place] = acts[place]()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    people = [threading.Thread(target=act, args=(place,)) for place in range(len(acts))]
    for person in people:
        person.start()
    for person in people:
        person.join(30)
    return results
