"""What the ledger's rooms share: rows of one shop, found by name."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from inventory_sync.errors import ErpRejected
from inventory_sync.models import LedgerLot, LedgerProduct, LedgerWorkCentre

T = TypeVar("T")

def products(shop: str, skus: Iterable[str]) -> dict[str, LedgerProduct]:
    """Products by sku, in the order asked. Raises ErpRejected naming an unknown one."""
    wanted = list(dict.fromkeys(skus))
    found = {product.sku: product for product in LedgerProduct.objects.filter(shop=shop, sku__in=wanted)}
    return {sku: known(found, sku, "sku", "There is no product") for sku in wanted}


def centres(shop: str, codes: Iterable[str]) -> dict[str, LedgerWorkCentre]:
    """Work centres by code. Raises ErpRejected naming an unknown one."""
    wanted = list(dict.fromkeys(codes))
    found = {centre.code: centre for centre in LedgerWorkCentre.objects.filter(shop=shop, code__in=wanted)}
    return {code: known(found, code, "work_centre", "There is no work centre") for code in wanted}


def lot_of(product: LedgerProduct, lot: str) -> LedgerLot:
    """A roll of a product. Raises ErpRejected when it has none of that name."""
    found = {one.lot: one for one in LedgerLot.objects.filter(product=product, lot=lot)}
    return known(found, lot, "lot", f"{product.name} has no roll")


def known(found: Mapping[str, T], key: str, field: str, sentence: str) -> T:
    """What stands under a name. Raises ErpRejected with the sentence and the name when nothing does."""
    if key not in found:
        raise ErpRejected(f"{sentence} {key}.", fields={field: key})
    return found[key]
