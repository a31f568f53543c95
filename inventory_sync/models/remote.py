"""What is kept here of an ERP that lives elsewhere: how to reach it, what we wrote there, what we read of it, and when.

Every row belongs to a shop, known by its slug, so two shops on two ERPs never see each other's.
"""

import secrets

from django.db import models
from django.utils import timezone


def _new_scope() -> str:
    """A few letters that no other installation has: two of them may call their shop and its first order the same."""
    return secrets.token_hex(4)


class ErpConnection(models.Model):
    """Where a shop's ERP is and who we are there. The key is encrypted at rest (inventory_sync/credentials.py)."""

    shop = models.SlugField(unique=True, max_length=64, help_text="The shop's short name.")
    url = models.CharField(max_length=300, help_text="Such as https://erp.example.com: without a path.")
    database = models.CharField(max_length=120)
    login = models.CharField(max_length=120, help_text="The user made for Weftline; see the README for its rights.")
    secret = models.TextField(blank=True, editable=False)
    company = models.CharField(
        max_length=120, blank=True, help_text="Where one database has several companies: which is this shop's."
    )

    scope = models.CharField(
        max_length=16, default=_new_scope, editable=False, help_text="Tells our records there from another server's."
    )

    class Meta:
        verbose_name = "ERP connection"

    def __str__(self) -> str:
        return f"{self.shop}: {self.database} on {self.url}"


class Breaker(models.Model):
    """How often a shop's ERP has not answered in a row, and when it may be asked again."""

    shop = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    ask_again_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)


class MachineFacts(models.Model):
    """What a shop says of a machine that its ERP has no field for; it wins over the ERP's own note."""

    shop = models.CharField(max_length=64)
    work_centre = models.CharField(max_length=64, help_text="The work centre's code in the ERP.")
    attributes = models.JSONField(
        default=dict, blank=True, help_text='Such as {"kind": "printer", "width_cm": "185", "inks": "C,M,Y,K"}.'
    )

    class Meta:
        verbose_name_plural = "machine facts"
        constraints = [models.UniqueConstraint(fields=["shop", "work_centre"], name="machine_facts_once")]

    def __str__(self) -> str:
        return self.work_centre


class ErpLink(models.Model):
    """A record that the ERP acknowledged: ours for ever, so what somebody deletes there is never made again.

    The row is written before the record is: one without a `remote_id` says that it may have been made, so that it is
    looked up before it is tried again.
    """

    shop = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    external_id = models.CharField(max_length=160)
    remote_id = models.BigIntegerField(null=True)
    parts = models.JSONField(default=dict, help_text="The names of what belongs to it: lines, components, reference.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of the values that were written last.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="erp_link_once"),
        ]
        indexes = [models.Index(fields=["shop", "kind", "remote_id"], name="erp_link_by_remote")]

    def __str__(self) -> str:
        return f"{self.external_id} = {self.kind} {self.remote_id}"


class RemoteHold(models.Model):
    """What an order line holds: counted here, less what its manufacturing order (`record`) keeps in the ERP already."""

    shop = models.CharField(max_length=64)
    reference = models.CharField(max_length=128)
    materials = models.JSONField(default=list, help_text="[sku, lot, quantity] each; lot empty: not kept by lot.")
    slots = models.JSONField(default=list, help_text="[work centre, start, end, name] each.")
    expires = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)
    record = models.CharField(max_length=160, blank=True, help_text="The manufacturing order that keeps it.")
    kept = models.JSONField(default=list, help_text="[sku, lot, quantity] each: what that order has reserved.")
    slots_kept = models.BooleanField(default=False, help_text="The slots are that order's work orders.")
    consumed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "reference"], name="remote_hold_once")]

    def __str__(self) -> str:
        return self.reference


class RemoteHoldClock(models.Model):
    """Counts every change of a shop's holds: who saw another number has to look again."""

    shop = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)


class RemoteHoldChange(models.Model):
    """Which materials a change of a hold made more or less free: the local half of `Erp.changes`."""

    shop = models.CharField(max_length=64)
    number = models.PositiveBigIntegerField()
    reference = models.CharField(max_length=128)
    skus = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "number"], name="remote_hold_change_once")]


class MirrorOf(models.Model):
    """How far and when a shop's ERP was last read, with its machines and what is booked on them."""

    shop = models.CharField(max_length=64, primary_key=True)
    cursor = models.TextField(blank=True)
    as_of = models.DateTimeField(null=True, help_text="When a reading of what changed last went through.")
    whole_at = models.DateTimeField(null=True, help_text="When everything was last read.")
    work_centres = models.JSONField(default=list)
    bookings = models.JSONField(default=list)


class MirrorStock(models.Model):
    """One material as it was last read."""

    shop = models.CharField(max_length=64)
    sku = models.CharField(max_length=64)
    level = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "sku"], name="mirror_stock_once")]
