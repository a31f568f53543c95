"""The ledger's own tables: the embedded stock, machine and order book of a shop that has no ERP.

Only connectors/ledger*.py and seeding.py write them. Every row belongs to a shop, known here by its slug alone.
What an ERP and this ledger hold of an order is joined by opaque references, never by keys of other apps.
"""

from django.db import models
from django.db.models import F, Q

QUANTITY = {"max_digits": 12, "decimal_places": 3}


class LedgerClock(models.Model):
    """Numbers the changes of one shop. Taking a number locks the row until commit, so numbers appear in order."""

    shop = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)


class LedgerProduct(models.Model):
    """A fabric, an ink, a chemical, a yarn or a finished cloth."""

    shop = models.CharField(max_length=64)
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32)
    unit = models.CharField(max_length=8)
    unit_cost = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    by_lot = models.BooleanField(default=False)
    supplier = models.CharField(max_length=200, blank=True)
    supplier_lead_days = models.PositiveIntegerField(null=True, blank=True)
    supplier_min_quantity = models.DecimalField(**QUANTITY, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "sku"], name="ledger_product_once")]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class LedgerLot(models.Model):
    """One roll, or (lot "") the one heap of a material not kept by lot. `held` is the sum of its reservations."""

    product = models.ForeignKey(LedgerProduct, models.CASCADE, related_name="lots")
    lot = models.CharField(max_length=64, blank=True)
    on_hand = models.DecimalField(**QUANTITY)
    held = models.DecimalField(**QUANTITY, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "lot"], name="ledger_lot_once"),
            # The database's own word that no metre is promised twice, whatever the code does.
            models.CheckConstraint(
                condition=Q(held__gte=0) & Q(held__lte=F("on_hand")), name="ledger_lot_not_oversold"
            ),
        ]

    def __str__(self) -> str:
        return self.lot or "(not kept by lot)"


class LedgerIncoming(models.Model):
    """A delivery that has been ordered."""

    product = models.ForeignKey(LedgerProduct, models.CASCADE, related_name="incoming")
    reference = models.CharField(max_length=64)
    quantity = models.DecimalField(**QUANTITY)
    due = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "reference"], name="ledger_incoming_once")]


class LedgerCalendar(models.Model):
    """Shifts by weekday in local time: seven lists of [from_hour, to_hour], Monday first."""

    shop = models.CharField(max_length=64)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    tz = models.CharField(max_length=64)
    shifts = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="ledger_calendar_once")]

    def __str__(self) -> str:
        return self.name


class LedgerWorkCentre(models.Model):
    """A machine or a bench. Whoever changes its bookings raises `calendar_version` first (see connectors/ledger.py)."""

    shop = models.CharField(max_length=64)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32)
    calendar = models.ForeignKey(LedgerCalendar, models.PROTECT, related_name="work_centres")
    cost_per_hour = models.DecimalField(max_digits=10, decimal_places=2)
    setup_min = models.FloatField(default=0)
    cleanup_min = models.FloatField(default=0)
    alternatives = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    calendar_version = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="ledger_work_centre_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class LedgerLeave(models.Model):
    """Closed time of one calendar (a holiday) or of one work centre (a maintenance)."""

    shop = models.CharField(max_length=64)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    calendar = models.ForeignKey(LedgerCalendar, models.CASCADE, null=True, blank=True, related_name="leaves")
    work_centre = models.ForeignKey(LedgerWorkCentre, models.CASCADE, null=True, blank=True, related_name="leaves")
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "code"], name="ledger_leave_once"),
            models.CheckConstraint(
                condition=Q(calendar__isnull=True, work_centre__isnull=False)
                | Q(calendar__isnull=False, work_centre__isnull=True),
                name="ledger_leave_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="ledger_leave_forwards"),
        ]


class LedgerHold(models.Model):
    """What one order line holds. Gone when released or expired; `consumed` when the cloth was made."""

    shop = models.CharField(max_length=64)
    reference = models.CharField(max_length=128)
    expires = models.DateTimeField(null=True, blank=True)
    consumed = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    fence = models.BigIntegerField(default=0, help_text="The try that holds it; an earlier one can't replace it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "reference"], name="ledger_hold_once")]

    def __str__(self) -> str:
        return self.reference


class LedgerReservation(models.Model):
    """So much of one lot, held."""

    hold = models.ForeignKey(LedgerHold, models.CASCADE, related_name="reservations")
    lot = models.ForeignKey(LedgerLot, models.PROTECT, related_name="reservations")
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hold", "lot"], name="ledger_reservation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="ledger_reservation_positive"),
        ]


class LedgerBooking(models.Model):
    """A stretch of a work centre's time. Without a hold it is somebody else's, entered by hand or seeded."""

    work_centre = models.ForeignKey(LedgerWorkCentre, models.CASCADE, related_name="bookings")
    hold = models.ForeignKey(LedgerHold, models.CASCADE, null=True, blank=True, related_name="bookings")
    reference = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="ledger_booking_forwards")]
        indexes = [models.Index(fields=["work_centre", "start"], name="ledger_booking_by_start")]


class LedgerState(models.TextChoices):
    """How a sale order or a manufacturing order stands."""

    DRAFT = "draft", "Draft"
    CONFIRMED = "confirmed", "Confirmed"
    PROGRESS = "progress", "In progress"
    DONE = "done", "Done"
    CANCEL = "cancel", "Cancelled"


class LedgerSale(models.Model):
    """A sale order: one per external id, for ever. It is a quotation until it is confirmed."""

    shop = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128)
    customer = models.CharField(max_length=200)
    number = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    promise = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=LedgerState.choices, default=LedgerState.DRAFT)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "sale order"
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="ledger_sale_once")]

    def __str__(self) -> str:
        return self.external_id


class LedgerSaleLine(models.Model):
    """One cloth of a sale order. Quantity 0: offered, and not ordered."""

    sale = models.ForeignKey(LedgerSale, models.CASCADE, related_name="lines")
    shop = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128)
    product = models.ForeignKey(LedgerProduct, models.PROTECT)
    description = models.CharField(max_length=700)
    quantity = models.DecimalField(**QUANTITY)
    unit_price = models.DecimalField(max_digits=12, decimal_places=4)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="ledger_sale_line_once")]

    def __str__(self) -> str:
        return self.external_id


class LedgerOrder(models.Model):
    """A manufacturing order: one per external id, for ever."""

    shop = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128)
    product = models.ForeignKey(LedgerProduct, models.PROTECT, related_name="orders")
    quantity = models.DecimalField(**QUANTITY)
    reference = models.CharField(max_length=128)
    due = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    sale = models.CharField(max_length=128, blank=True, help_text="External id of the sale order it is made for.")
    sale_line = models.CharField(max_length=128, blank=True, help_text="External id of that order's line.")
    state = models.CharField(max_length=16, choices=LedgerState.choices, default=LedgerState.DRAFT)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "manufacturing order"
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="ledger_order_once")]

    def __str__(self) -> str:
        return self.external_id


class LedgerComponent(models.Model):
    """A material that a manufacturing order uses up."""

    order = models.ForeignKey(LedgerOrder, models.CASCADE, related_name="components")
    position = models.PositiveIntegerField()
    product = models.ForeignKey(LedgerProduct, models.PROTECT)
    lot = models.ForeignKey(LedgerLot, models.PROTECT, null=True, blank=True)
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="ledger_component_once")]


class LedgerWorkOrder(models.Model):
    """One operation of a manufacturing order, at its planned time."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PROGRESS = "progress", "In progress"
        DONE = "done", "Done"
        CANCEL = "cancel", "Cancelled"

    order = models.ForeignKey(LedgerOrder, models.CASCADE, related_name="work_orders")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    work_centre = models.ForeignKey(LedgerWorkCentre, models.PROTECT)
    start = models.DateTimeField()
    end = models.DateTimeField()
    minutes = models.FloatField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)

    class Meta:
        verbose_name = "work order"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="ledger_work_order_once")]

    def __str__(self) -> str:
        return f"{self.order} {self.name}"


class LedgerScrap(models.Model):
    """So much of what a manufacturing order made is lost, once by key."""

    order = models.ForeignKey(LedgerOrder, models.CASCADE, related_name="scraps")
    key = models.CharField(max_length=200)
    quantity = models.DecimalField(**QUANTITY)
    why = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "scrap"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="ledger_scrap_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="ledger_scrap_positive"),
        ]

    def __str__(self) -> str:
        return self.key


class LedgerAttachment(models.Model):
    """A file of a manufacturing order, referenced by path and sha256: the bytes stay in the store that wrote them."""

    order = models.ForeignKey(LedgerOrder, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    mime = models.CharField(max_length=100)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    as_link = models.BooleanField(default=False)
    url = models.CharField(max_length=500, blank=True, help_text="Where a person opens it, when it is a link.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "name", "sha256"], name="ledger_attachment_once")]


class LedgerNote(models.Model):
    """What was said on a record for its readers, once by key."""

    shop = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128, help_text="Of the record.")
    key = models.CharField(max_length=200)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = "note"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id", "key"], name="ledger_note_once")]

    def __str__(self) -> str:
        return self.key


class LedgerTask(models.Model):
    """A record on a person's list, once by key, until somebody says that it is done."""

    shop = models.CharField(max_length=64)
    external_id = models.CharField(max_length=128, help_text="Of the record.")
    key = models.CharField(max_length=200)
    summary = models.CharField(max_length=200)
    text = models.TextField()
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "task"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id", "key"], name="ledger_task_once")]

    def __str__(self) -> str:
        return self.summary


class LedgerChange(models.Model):
    """What was changed, in order of commit: the source of `Erp.changes`."""

    shop = models.CharField(max_length=64)
    number = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=128)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "number"], name="ledger_change_once")]
