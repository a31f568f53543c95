"""What the story is made of: shops, customers, orders, lines, rounds of designs, steps of work, the audit chain."""

import hashlib
import hmac
import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generation.models import Artwork
from orders.domain.exploring import IN_WORDS, Way
from orders.domain.floor import Report, Said
from orders.domain.states import LineState, StepState
from orders.errors import NothingDrawn
from production.domain.grading import Quality


class Role(models.TextChoices):
    """What a person does in a shop."""

    SALES = "sales", "Sales"
    DESIGNER = "designer", "Designer"
    PLANNER = "planner", "Planner"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Administrator"


class Shop(models.Model):
    """One mill or studio. Everything belongs to a shop, and nobody sees another's."""

    slug = models.SlugField(unique=True, help_text="The name by which stock and catalogue know this shop.")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="Europe/Paris")
    connector = models.CharField(max_length=32, default="ledger", help_text="Which ERP this shop's stock lives in.")
    generator = models.CharField(max_length=32, default="embedded", help_text="What draws this shop's designs.")
    printed_product = models.CharField(max_length=64, default="FIN-PRINT", help_text="The ERP's printed cloth.")
    woven_product = models.CharField(max_length=64, default="FIN-WEAVE", help_text="The ERP's woven cloth.")
    paper = models.CharField(
        max_length=8, default="A4", choices=[("A4", "A4"), ("Letter", "Letter")], help_text="What documents print on."
    )
    terms = models.CharField(max_length=600, blank=True, help_text="Of sale, as they stand on a quotation.")
    quotation_days = models.PositiveSmallIntegerField(default=30, help_text="How long a quotation holds.")
    hold_hours = models.PositiveSmallIntegerField(
        default=48, help_text="How long a quote keeps fabric, inks and machine time for the customer."
    )
    frozen_hours = models.PositiveSmallIntegerField(
        default=4, help_text="What is planned to begin so soon is not moved any more."
    )
    slushy_hours = models.PositiveSmallIntegerField(
        default=24, help_text="What is planned to begin so soon stays on its machine."
    )
    order_sequence = models.PositiveIntegerField(default=0, editable=False)
    audit_sequence = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a shop."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "user"], name="one_role_per_shop_and_person")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.shop}"


class Preference(models.Model):
    """How one person reads: language and units. Quantities are kept in metres and millimetres whatever is shown."""

    class Units(models.TextChoices):
        METRIC = "metric", _("Metres and millimetres")
        IMPERIAL = "imperial", _("Yards and inches")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    language = models.CharField(max_length=8, blank=True, help_text="Empty: the browser's.")
    units = models.CharField(max_length=8, choices=Units.choices, default=Units.METRIC)

    def __str__(self) -> str:
        return f"{self.user}: {self.language or 'any language'}, {self.units}"


class ApiToken(models.Model):
    """A key for a program, kept only as a peppered digest; the prefix tells people which one it is."""

    membership = models.ForeignKey(Membership, models.CASCADE)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> str:
        """Return the digest (64 hex) under which a secret is kept: HMAC-SHA256 with the server's key as pepper."""
        return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), hashlib.sha256).hexdigest()

    @classmethod
    def issue(cls, membership: Membership, *, name: str, expires_at: Any) -> tuple["ApiToken", str]:
        """Make a token and return it with its secret, which can never be read again."""
        secret = f"wl_{secrets.token_urlsafe(32)}"
        token = cls.objects.create(
            membership=membership, name=name, prefix=secret[:9], digest=cls.digest_of(secret), expires_at=expires_at
        )
        return token, secret


class Customer(models.Model):
    """Who orders cloth."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    name = models.CharField(max_length=120)
    quality = models.CharField(
        max_length=8,
        default=Quality.MID,
        choices=[(each.value, each.value) for each in Quality],
        help_text="How much is expected of the cloth: what passes its inspection.",
    )
    inspection_rule = models.JSONField(
        default=dict, blank=True, help_text='What this customer has otherwise than its class: {"most_pieces": 1}.'
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="customer_once_per_shop")]

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """What one customer asked for at one time. Its clock starts here (t0)."""

    shop = models.ForeignKey(Shop, models.PROTECT)
    customer = models.ForeignKey(Customer, models.PROTECT)
    number = models.CharField(max_length=24)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    once = models.UUIDField(
        null=True, unique=True, editable=False, help_text="Of the form it came from: sent twice, it is one order."
    )
    changed_in_erp_at = models.DateTimeField(
        null=True, editable=False, help_text="A record of it was changed in the ERP, and was not looked at since."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "number"], name="order_number_once_per_shop")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number


class Priority(models.IntegerChoices):
    """How much a day late of one line weighs against a day of another."""

    NORMAL = 1, "normal"
    SOON = 2, "soon"
    IMPORTANT = 4, "important"
    RUSH = 10, "rush"


class Lines(models.QuerySet["OrderLine"]):
    """Lines, as they are looked for."""

    def of(self, shop: Shop) -> "Lines":
        """Return the lines of a shop.

        A database without figures of its rows begins at all orders of the shop where it is joined with them; so it
        begins at the lines: those in a state, or the newest.
        """
        return self.filter(models.Exists(Order.objects.filter(pk=models.OuterRef("order"), shop=shop)))


class OrderLine(models.Model):
    """One cloth in one design. `state` moves only through orders.flow.move."""

    objects = Lines.as_manager()

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    reference = models.CharField(max_length=40, help_text="By this name the ERP, stock and tickets know the line.")
    substrate = models.CharField(max_length=64, blank=True)
    weave = models.CharField(max_length=64, blank=True)
    quantity_m = models.DecimalField(max_digits=8, decimal_places=2)
    asked = models.JSONField(
        null=True, blank=True, help_text="How the customer counts: quantity, unit; of panels their height and gap, mm."
    )
    end_use = models.CharField(max_length=80, blank=True, help_text="What the cloth is for.")
    repeat_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="repeats")
    sample_of = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="samples", help_text="This is its strike-off."
    )
    due_date = models.DateField()
    priority = models.PositiveSmallIntegerField(default=Priority.NORMAL, choices=Priority.choices)
    state = models.CharField(max_length=16, default=LineState.DRAFT, choices=[(s.value, s.value) for s in LineState])
    came_from = models.CharField(max_length=16, blank=True, help_text="Where a blocked line was when it stopped.")
    blocked = models.JSONField(null=True, blank=True, help_text="code, sentence, findings: why a person must decide.")
    progress = models.CharField(max_length=120, blank=True, help_text="What is being done just now.")
    plan = models.JSONField(null=True, blank=True, help_text="What is held: lot, materials, slots, promise.")
    quote = models.JSONField(
        null=True, blank=True, help_text="What is held until a quote expires: as plan, and candidate and expires."
    )
    run = models.PositiveSmallIntegerField(
        default=1, help_text="Which production run it is in: counts up when the cloth fails its inspection."
    )
    run_m = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, help_text="Metres that this run makes, where it is not all of them."
    )
    version = models.PositiveIntegerField(default=1, help_text="Counts every transition.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="line_position_once_per_order"),
            models.CheckConstraint(condition=~models.Q(substrate="") ^ ~models.Q(weave=""), name="printed_or_woven"),
        ]
        indexes = [models.Index(fields=["state"]), models.Index(fields=["reference"])]
        ordering = ["order", "position"]

    def __str__(self) -> str:
        return self.reference

    @property
    def making_m(self) -> Decimal:
        """Metres that its present production run makes: all that was ordered, or what is made once more of it."""
        return self.quantity_m if self.run_m is None else self.run_m

    @property
    def newest_round(self) -> "Round":
        """The brief that is being worked on. Raises NothingDrawn."""
        newest = self.rounds.order_by("-number").first()
        if newest is None:
            raise NothingDrawn(fields={"line": self.reference})
        return newest


class Round(models.Model):
    """One brief and the candidates drawn for it. A revision makes a new round and keeps the old ones."""

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField()
    words = models.CharField(max_length=500)
    palette = models.JSONField(null=True, blank=True, help_text="Exact colours, ground first; empty: from the words.")
    palette_name = models.CharField(max_length=40, blank=True)
    layout = models.CharField(max_length=16)
    repeat_width_mm = models.FloatField()
    repeat_height_mm = models.FloatField()
    reference_sha256 = models.CharField(max_length=64, blank=True)
    generator = models.CharField(max_length=32, blank=True, help_text="What draws it; empty: the shop's own choice.")
    way = models.CharField(max_length=16, default=Way.WORDS, choices=[(way.value, way.value) for way in Way])
    same_as = models.ForeignKey(
        "Candidate",
        models.RESTRICT,
        null=True,
        related_name="+",
        help_text="This is its colourway, another size of it, or the same on another cloth.",
    )
    parent = models.ForeignKey(
        "Candidate", models.RESTRICT, null=True, related_name="+", help_text="The drawing that is gone on from."
    )
    other_parent = models.ForeignKey("Candidate", models.RESTRICT, null=True, related_name="+")
    strength = models.FloatField(default=0.5, help_text="How far to leave the parents: 0 keeps them, 1 forgets them.")
    share = models.FloatField(default=0.5, help_text="Between two parents: 0 is the first, 1 the second.")
    redraw = models.JSONField(default=list, help_text="Colours of the parent, by index, that are drawn anew.")
    scale = models.FloatField(default=1.0, help_text="Length of the motifs against what the words ask for.")
    density = models.FloatField(default=1.0, help_text="Motifs per area against what the words ask for.")
    walk = models.JSONField(
        null=True, help_text="Where the parent is moved before it is drawn anew: space, version, amounts by axis."
    )
    seed = models.BigIntegerField(
        null=True, help_text="The one seed of a round that keeps its parent's; else by number."
    )
    batch = models.PositiveSmallIntegerField(default=1, help_text="How often the line has been drawn for this brief.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "number"], name="round_number_once_per_line")]
        ordering = ["line", "number"]

    def __str__(self) -> str:
        return f"{self.line} round {self.number}"

    @property
    def way_in_words(self) -> str:
        """What a round is drawn from, as people read it."""
        gone_on_from = filter(None, (self.same_as or self.parent, self.other_parent))
        return IN_WORDS[Way(self.way)].format(*map(self._called, gone_on_from))

    def _called(self, candidate: "Candidate") -> str:
        name = f"{candidate.round.number}.{candidate.position}"
        return name if candidate.round.line_id == self.line_id else f"{name} of {candidate.round.line}"


class Candidate(models.Model):
    """One answer to a brief. It reaches the customer checked, measured, priced and promised."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="candidates")
    position = models.PositiveSmallIntegerField()
    artwork = models.ForeignKey(Artwork, models.PROTECT)
    drawn_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    passed = models.BooleanField(null=True, help_text="Empty until checked.")
    findings = models.JSONField(default=list)
    made = models.JSONField(default=list, help_text="The palette as the cloth will show it, printed or woven.")
    usage = models.JSONField(default=dict, help_text="Metres, millilitres by ink, minutes by operation.")
    cost = models.JSONField(default=dict, help_text="Lines and totals, as decimal strings.")
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    price_per_m = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    promise = models.DateTimeField(null=True)
    binding = models.CharField(max_length=300, blank=True, help_text="What the promise waits for, in words.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "position"], name="candidate_position_once_per_round")]
        ordering = ["round", "position"]

    def __str__(self) -> str:
        return f"{self.round} candidate {self.position}"


class Approval(models.Model):
    """What the customer said yes to: the digest covers the artwork's bytes and the whole specification."""

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="approvals")
    candidate = models.ForeignKey(Candidate, models.PROTECT)
    number = models.PositiveSmallIntegerField(help_text="Also the revision of the job ticket that follows.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    at = models.DateTimeField(default=timezone.now)
    specification = models.JSONField()
    sha256 = models.CharField(max_length=64)
    link = models.ForeignKey(
        "CustomerLink", models.SET_NULL, null=True, related_name="approvals", help_text="By which the customer said it."
    )
    name = models.CharField(max_length=120, blank=True, help_text="As who said it through a link wrote it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "number"], name="approval_number_once_per_line")]
        ordering = ["line", "number"]

    def __str__(self) -> str:
        return f"{self.line} approval {self.number}"


class CustomerLink(models.Model):
    """A key to one line for its customer, who has no account: signed, expiring, kept only as a digest."""

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    limits = models.JSONField(default=dict, help_text="How far each knob may be turned: knob, [least, most].")
    most_rounds = models.PositiveSmallIntegerField(default=12, help_text="How often the customer may have drawn anew.")
    rounds = models.PositiveSmallIntegerField(default=0, help_text="How often the customer has.")
    returns = models.PositiveSmallIntegerField(default=0, help_text="How often an earlier design was taken up again.")
    shows_price = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="When the customer first saw it (t3).")
    closed_at = models.DateTimeField(null=True, help_text="When it was taken back.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.line} until {self.expires_at:%Y-%m-%d}"


class Pin(models.Model):
    """A comment at a place of a design, by the customer or by somebody here."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="pins")
    x_mm = models.FloatField(help_text="From the repeat's left edge.")
    y_mm = models.FloatField(help_text="From the repeat's upper edge.")
    words = models.CharField(max_length=500)
    author = models.CharField(max_length=150)
    link = models.ForeignKey(CustomerLink, models.SET_NULL, null=True, help_text="Empty: written by somebody here.")
    once = models.UUIDField(null=True, unique=True, editable=False, help_text="Of the form: sent twice, it is one pin.")
    at = models.DateTimeField(default=timezone.now)
    answer = models.CharField(max_length=500, blank=True, help_text="The customer reads it.")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.candidate}: {self.words[:40]}"


class CustomerWish(models.Model):
    """What a customer asks to be otherwise, in words (t4). It draws nothing by itself: somebody here reads it first."""

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="wishes")
    link = models.ForeignKey(CustomerLink, models.SET_NULL, null=True)
    words = models.CharField(max_length=500)
    once = models.UUIDField(unique=True, editable=False, help_text="Of the form: sent twice, it is one wish.")
    at = models.DateTimeField(default=timezone.now)
    answer = models.CharField(max_length=500, blank=True, help_text="The customer reads it.")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name_plural = "customer wishes"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.line}: {self.words[:40]}"


class Decision(models.Model):
    """What a designer said of a candidate, and why. Kept as what the system learns from; only appended."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="decisions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    accepted = models.BooleanField()
    reasons = models.JSONField(default=list, help_text="Codes of reasons.")
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.candidate}: {'accepted' if self.accepted else 'rejected'}"


class HumanEdit(models.Model):
    """What a person changed in a design by hand; printed on the provenance sheet. Only appended."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="edits", help_text="What came of it.")
    of = models.ForeignKey(
        Candidate, models.RESTRICT, null=True, related_name="+", help_text="What was changed; empty: the words alone."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    what = models.CharField(max_length=24, help_text="See orders/authorship.py.")
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.round}: {self.what}"


class FloorReport(models.Model):
    """What an operator reported at a machine. Only appended; orders/domain/floor.py says how an operation stands."""

    class Kind(models.TextChoices):
        START = "start", _("Start")
        PAUSE = "pause", _("Pause")
        RESUME = "resume", _("Go on")
        FINISH = "finish", _("Finish")
        SCRAP = "scrap", _("Scrap")
        UNDO = "undo", _("Take back")

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="reports")
    run = models.PositiveSmallIntegerField(help_text="Of the line, when it was reported.")
    operation = models.PositiveSmallIntegerField(help_text="Number in the line's plan, from 0.")
    name = models.CharField(max_length=64, help_text="Of the operation, as the plan and the ERP call it.")
    work_centre = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    metres = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    reason = models.CharField(max_length=40, blank=True)
    undoes = models.OneToOneField("self", models.CASCADE, null=True, help_text="The slip that this takes back.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    at = models.DateTimeField(default=timezone.now, help_text="When the button was pressed.")
    received_at = models.DateTimeField(default=timezone.now, help_text="Later than that where there was no network.")
    once = models.UUIDField(unique=True, help_text="Of the button that was pressed: sent twice, it counts once.")
    told_at = models.DateTimeField(null=True, help_text="When the ERP had been told.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.line} {self.operation}: {self.kind}"

    @property
    def said(self) -> Report:
        """It as the domain reads it."""
        return Report(
            number=self.pk,
            kind=Said(self.kind),
            at=self.at,
            by=self.by.get_username(),
            metres=self.metres,
            reason=self.reason,
            undoes=self.undoes_id,
        )


class LineClock(models.Model):
    """How long each stage of a line's clock took, so that many can be looked at at once. orders/clocks.py writes it."""

    line = models.OneToOneField(OrderLine, models.CASCADE, primary_key=True, related_name="clock")
    shop = models.ForeignKey(Shop, models.CASCADE)
    verified_on = models.DateField(null=True, help_text="The mill's day on which its print file was verified.")
    total_s = models.FloatField(null=True, help_text="Request saved to print file verified.")
    first_preview_s = models.FloatField(null=True)
    passing_s = models.FloatField(null=True)
    opened_s = models.FloatField(null=True)
    customer_s = models.FloatField(null=True)
    print_file_s = models.FloatField(null=True)
    queued_s = models.FloatField(null=True)
    made_s = models.FloatField(null=True)
    inspected_s = models.FloatField(null=True)
    sequence = models.PositiveIntegerField(help_text="Of the newest event of the audit chain that it has seen.")

    class Meta:
        indexes = [models.Index(fields=["shop", "verified_on"]), models.Index(fields=["shop", "sequence"])]

    def __str__(self) -> str:
        return f"clock of {self.line_id}"


class Exclusivity(models.Model):
    """A promise that a design is made for one customer alone. orders/exclusivity.py is its only writer."""

    customer = models.ForeignKey(Customer, models.PROTECT)
    artwork = models.ForeignKey(Artwork, models.PROTECT)
    territory = models.CharField(max_length=120, blank=True, help_text="Where it holds; empty: everywhere.")
    valid_from = models.DateField()
    until = models.DateField(null=True, blank=True, help_text="Its last day; empty: for ever.")

    class Meta:
        verbose_name_plural = "exclusivities"

    def __str__(self) -> str:
        return f"{self.artwork.sha256[:12]} for {self.customer}"


class Step(models.Model):
    """One piece of durable work. orders/steps.py is its only writer."""

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=16, default=StepState.PENDING, choices=[(s.value, s.value) for s in StepState])
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=4)
    due_at = models.DateTimeField()
    token = models.UUIDField(null=True, help_text="The fence: only who holds the newest token may complete the step.")
    lease_until = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True, help_text="No heartbeat extends the lease beyond this.")
    worker = models.CharField(max_length=120, blank=True, help_text="host:pid of the last worker that claimed it.")
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=models.Q(state__in=[StepState.PENDING.value, StepState.RUNNING.value]),
                name="one_open_step_per_line",
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"])]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.line} {self.kind} ({self.state})"


class PlanRun(models.Model):
    """A plan that somebody asked for: worked on by one worker at a time. orders/planruns.py is its only writer."""

    class Kind(models.TextChoices):
        PLAN = "plan", "plan anew"
        REPLAN = "replan", "plan around what has happened"
        WHAT_IF = "what_if", "compare"

    class State(models.TextChoices):
        ASKED = "asked"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    shop = models.ForeignKey(Shop, models.CASCADE)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    asked = models.JSONField(default=dict, help_text="Seconds, seed, weights; the event, or the branches.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.ASKED)
    cancel = models.BooleanField(default=False, help_text="Somebody has seen enough: the best so far is kept.")
    token = models.UUIDField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    best = models.JSONField(null=True, help_text="Figures of the best plan so far.")
    result = models.JSONField(null=True, help_text="The number of the plan that was kept, and what else was found.")
    error = models.JSONField(null=True, help_text="code, message and fields of what ended it.")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.shop} {self.kind} ({self.state})"


class Notice(models.Model):
    """What the ERP says and the line could not follow: a person has to look, and settles it. Each finding once."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    line = models.ForeignKey(OrderLine, models.CASCADE, null=True, related_name="notices")
    code = models.CharField(max_length=40)
    sentence = models.TextField()
    fields = models.JSONField(default=dict, help_text="What was found, in values: records, quantities, times.")
    key = models.CharField(max_length=255)
    at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True, help_text="A person, or the ERP: it is as it was again.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="notice_once_per_shop")]
        indexes = [models.Index(fields=["shop", "settled_at"])]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.code}: {self.key}"


class Following(models.Model):
    """When a shop's ERP was last asked what has changed, and why it could not be. orders/following.py writes it."""

    shop = models.OneToOneField(Shop, models.CASCADE, primary_key=True)
    tried_at = models.DateTimeField(null=True)
    followed_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True, help_text="When every open record was last looked at.")
    error = models.CharField(max_length=500, blank=True, help_text="Of the last try; empty: it went through.")

    def __str__(self) -> str:
        return f"{self.shop}: {self.error or 'followed'}"


class Pulse(models.Model):
    """When a caretaker of the line was last seen alive, by name; /ready reads it."""

    name = models.CharField(max_length=32, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class AuditEvent(models.Model):
    """One link of the chain. orders/audit.py is its only writer, and it only appends."""

    shop = models.ForeignKey(Shop, models.PROTECT)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150, blank=True, help_text="A person, or the ERP; empty: the line itself.")
    action = models.CharField(max_length=40)
    order = models.ForeignKey(Order, models.PROTECT, null=True)
    line = models.ForeignKey(OrderLine, models.PROTECT, null=True, related_name="events")
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16, blank=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "sequence"], name="audit_chain_never_forks")]
        ordering = ["shop", "sequence"]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"
