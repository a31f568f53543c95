"""The breaker before a shop's ERP: after five failures in a row it is left alone, and asked again every half minute.

It stands in the database because the workers are many: what one of them learned, all know. A closed breaker costs one
read by primary key.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db.models import F

from inventory_sync.errors import ErpAmbiguous, ErpError, ErpUnavailable
from inventory_sync.models import Breaker

T = TypeVar("T")

OPENS_AFTER: Final = 5
ASK_AGAIN: Final = timedelta(seconds=30)


def guarded(shop: str, call: Callable[[], T], *, now: Callable[[], datetime]) -> T:
    """Call, unless the breaker is open; note whether it was answered. Raises ErpUnavailable without calling when it is.

    When its time comes the first who asks is the probe: everybody else goes on waiting for what it finds.
    """
    breaker = Breaker.objects.filter(shop=shop).first()
    if breaker is not None and breaker.failures >= OPENS_AFTER:
        at = now()
        if not _may_probe(shop, at):
            again = breaker.ask_again_at or at
            raise ErpUnavailable(
                f"The ERP has not answered {breaker.failures} times in a row ({breaker.last_error}); "
                f"it is asked again at {again:%H:%M:%S} UTC.",
                fields={"failures": breaker.failures, "ask_again_at": again.isoformat()},
            )
    try:
        answer = call()
    except (ErpUnavailable, ErpAmbiguous) as error:
        _failed(shop, str(error), now())
        raise
    except ErpError:  # a refusal is an answer too
        _answered(breaker)
        raise
    _answered(breaker)
    return answer


def _may_probe(shop: str, at: datetime) -> bool:
    """True for one of all who ask once the time has come: whoever moves it on."""
    due = Breaker.objects.filter(shop=shop, failures__gte=OPENS_AFTER, ask_again_at__lte=at)
    return bool(due.update(ask_again_at=at + ASK_AGAIN))


def _answered(breaker: Breaker | None) -> None:
    if breaker is not None and breaker.failures:
        Breaker.objects.filter(pk=breaker.pk).update(failures=0, ask_again_at=None, last_error="")


def _failed(shop: str, sentence: str, at: datetime) -> None:
    values = {"ask_again_at": at + ASK_AGAIN, "last_error": sentence[:300]}
    if not Breaker.objects.filter(shop=shop).update(failures=F("failures") + 1, **values):
        Breaker.objects.get_or_create(shop=shop, defaults={"failures": 1, **values})
