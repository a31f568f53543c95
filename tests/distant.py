"""A ledger at the end of a line: the real connector, treated as one that lives elsewhere, behind a network that fails.

`network` is the line between: cut it, and every call raises ErpUnavailable without reaching the ledger; `asked` counts
what went through, verb by verb.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import ErpUnavailable

VERBS = (
    "ping", "problems", "stock", "work_centres", "bookings", "changes", "hold", "held", "release", "find", "upsert",
    "act", "work_on", "reschedule", "attach", "standing", "tell", "ask", "scrap",
)  # fmt: skip


@dataclass
class Network:
    """The line between us and the ERP of every shop; cut for all, for some shops, or for what asks certain verbs."""

    cut: bool = False
    cut_verbs: set[str] = field(default_factory=set)
    cut_for: set[str] = field(default_factory=set)
    delay_s: float = 0.0
    asked: Counter = field(default_factory=Counter)

    def carry(self, shop, verb):
        if self.cut or shop in self.cut_for or verb in self.cut_verbs:
            raise ErpUnavailable("The ERP can't be reached: nothing was changed.")
        time.sleep(self.delay_s)
        self.asked[verb] += 1


network = Network()


class DistantErp(LedgerErp):
    """The ledger, asked over `network`."""

    name = "distant"
    remote = True


def _over_the_network(verb):
    def call(self, *args, **kwargs):
        network.carry(self.shop, verb)
        return getattr(LedgerErp, verb)(self, *args, **kwargs)

    return call


for each in VERBS:
    setattr(DistantErp, each, _over_the_network(each))
