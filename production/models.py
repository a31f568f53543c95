"""What a workshop can make (its catalogue), and what was made for an order line (reports, tickets, files, costings)."""

from __future__ import annotations

from django.db import models


class CatalogueRow(models.Model):
    """A row of one shop's catalogue, named by its code."""

    shop = models.CharField(max_length=64)
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class InkSet(CatalogueRow):
    """The inks of a printer, with what the cloth takes of them and the route they ask for."""

    ink_class = models.CharField(max_length=32)
    inks = models.JSONField(help_text="in the order of the planes: channel, name, sku, ml_per_m2 at 100 %")
    tac_pct = models.FloatField(help_text="total area coverage: the most ink, all channels added")
    purge_ml = models.FloatField(help_text="per channel and job, nozzle check included")
    pretreatment_sku = models.CharField(max_length=64)
    pickup_pct = models.FloatField(help_text="pretreatment liquor in % of the cloth's weight")
    route = models.JSONField(help_text="operations in their order")
    source = models.CharField(max_length=300, help_text="where these figures come from")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_ink_set_per_code")]


class Substrate(CatalogueRow):
    """A fabric to be printed; its code is the SKU of the stock."""

    width_mm = models.FloatField()
    usable_width_mm = models.FloatField(help_text="between the selvedges, as it goes through the printer")
    gsm = models.FloatField()
    fibre = models.CharField(max_length=120)
    ink_class = models.CharField(max_length=32)
    shrink_warp_pct = models.FloatField()
    shrink_weft_pct = models.FloatField()
    tac_pct = models.FloatField(
        null=True, blank=True, help_text="the most ink this fabric takes, all channels added, where less than the inks'"
    )
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_substrate_per_sku")]


class MachineProfile(CatalogueRow):
    """What one machine can do; its code is the work centre's."""

    class Kind(models.TextChoices):
        PRINTER = "printer"
        LOOM = "loom"
        FINISHING = "finishing"
        CUTTING = "cutting"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    operation = models.CharField(max_length=64)
    ink_set = models.ForeignKey(
        InkSet, null=True, blank=True, on_delete=models.PROTECT, help_text="what it prints with unless asked otherwise"
    )
    other_ink_sets = models.ManyToManyField(
        InkSet, blank=True, related_name="further_machines", help_text="what else it can print with"
    )
    width_mm = models.FloatField(null=True, blank=True)
    speed_m2_h = models.FloatField(default=0)
    speed_m_min = models.FloatField(default=0)
    picks_min = models.FloatField(default=0)
    factor = models.FloatField(default=1, help_text="effective over nominal speed; efficiency of a loom")
    dwell_min = models.FloatField(default=0, help_text="minutes a metre stays inside, once per job")
    setup_min = models.FloatField(default=0)
    cleanup_min = models.FloatField(default=0)
    power_kw = models.FloatField(default=0)
    hooks = models.PositiveIntegerField(default=0)
    harness_ends = models.PositiveIntegerField(default=0, help_text="ends of one repeat of the harness")
    castout = models.JSONField(
        default=list,
        blank=True,
        help_text="a loom's hooks in order, [function, how many]: selector, regulator, selvedge, figure, spare",
    )
    files = models.JSONField(
        default=list, blank=True, help_text="codes of the files that each of its jobs gets; none: what its kind gets"
    )
    sidecar = models.CharField(
        max_length=16,
        blank=True,
        choices=[(code, code) for code in ("xjdf", "ergosoft", "printfactory", "durst")],
        help_text="the ticket its RIP goes by, which is sent last; none: its file alone starts the job",
    )
    hot_folder = models.CharField(max_length=500, blank=True, help_text="as this server sees it")
    rip_folder = models.CharField(
        max_length=500, blank=True, help_text="the same folder as its RIP sees it; none: tickets name files beside them"
    )
    head_m = models.FloatField(default=0, help_text="cloth before the design, per job")
    tail_m = models.FloatField(default=0)
    waste_pct = models.FloatField(default=0)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_profile_per_machine")]

    def ink_sets(self) -> list[InkSet]:
        """What it can print with, its standard ink set first."""
        standard = [self.ink_set] if self.ink_set is not None else []
        return [*standard, *self.other_ink_sets.exclude(pk=self.ink_set_id).order_by("code")]


class WeaveSpec(CatalogueRow):
    """A cloth that can be woven: its loom, yarns, densities, weaves and longest float."""

    loom = models.ForeignKey(MachineProfile, on_delete=models.PROTECT)
    width_mm = models.FloatField()
    usable_width_mm = models.FloatField()
    gsm = models.FloatField()
    fibre = models.CharField(max_length=120)
    ends_per_cm = models.FloatField()
    picks_per_cm = models.FloatField()
    warp = models.JSONField(help_text="sku, name, tex, crimp_pct, colour")
    weft = models.JSONField(help_text="sku, name, tex, crimp_pct, colour")
    extra_weft = models.JSONField(null=True, blank=True, help_text="a figure weft after each pick, as weft; or nothing")
    ends_per_dent = models.PositiveIntegerField(default=4, help_text="of the reed")
    weaves = models.JSONField(help_text="names from the warp-faced to the weft-faced, one per colour")
    max_float = models.PositiveIntegerField(help_text="threads")
    max_float_mm = models.FloatField(default=0, help_text="on the cloth; 0: only the threads count")
    shrink_warp_pct = models.FloatField()
    shrink_weft_pct = models.FloatField()
    loss_pct = models.FloatField(help_text="yarn lost in warping and weaving")
    route = models.JSONField(help_text="operations in their order")
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_weave_per_code")]


class IccProfile(CatalogueRow):
    """A colour profile as data: whose it is, what it describes, until when, and whether it was ever measured."""

    owner = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=300, help_text="file name under production/profiles, or an absolute path")
    ink_set = models.ForeignKey(InkSet, on_delete=models.PROTECT)
    printer = models.ForeignKey(MachineProfile, null=True, blank=True, on_delete=models.PROTECT)
    fabric_class = models.CharField(max_length=64, help_text="ink class of the fabrics it may be used for")
    substrate = models.ForeignKey(
        Substrate, null=True, blank=True, on_delete=models.PROTECT, help_text="the one fabric it was measured on"
    )
    pretreatment_sku = models.CharField(
        max_length=64, blank=True, help_text="on the cloth when it was measured; empty: does not matter"
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    synthetic = models.BooleanField(help_text="made from a model, not measured on cloth")
    description = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_icc_profile_per_code")]


class PriceRate(CatalogueRow):
    """One price or percentage of the costing, with its source."""

    value = models.DecimalField(max_digits=12, decimal_places=4)
    unit = models.CharField(max_length=32)
    source = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="one_rate_per_code")]


class Changeover(models.Model):
    """What it takes to change one thing a machine is set for, such as its fabric or ink set, into another.

    The planner reads the rows of a machine as one matrix: the longest of its attributes counts, money adds up.
    """

    shop = models.CharField(max_length=64)
    work_centre = models.CharField(max_length=64)
    attribute = models.CharField(
        max_length=32, help_text="fabric, ink_set, ink_class, liquor, warp, weave, shade: what a job asks of a machine"
    )
    before = models.CharField(max_length=64, help_text="its value before; *: any; =: the same as after")
    after = models.CharField(max_length=64, help_text="its value after; *: any; =: the same as before")
    minutes = models.PositiveIntegerField()
    cost = models.DecimalField(max_digits=10, decimal_places=2, default=0, help_text="of what is flushed or lost")
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "work_centre", "attribute", "before", "after"], name="one_changeover_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.work_centre} {self.attribute} {self.before} > {self.after}: {self.minutes} min"


class Downtime(models.Model):
    """When a machine stands still that its calendar says is running: a breakdown, until it is mended."""

    shop = models.CharField(max_length=64)
    work_centre = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.work_centre} down until {self.end:%Y-%m-%d %H:%M}"


class PlanVersion(models.Model):
    """A plan of a shop, as it was found. Never changed; one of them is published."""

    shop = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    base = models.PositiveIntegerField(help_text="The version that was published when it was made; 0: none.")
    reason = models.CharField(max_length=200, help_text="Why it was made, in words.")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()
    found_by = models.CharField(max_length=64, help_text="the rule or the search")
    seed = models.BigIntegerField(default=0)
    effort = models.JSONField(default=list, help_text="Moves by cycle: with the seed, the same plan again.")
    problem = models.JSONField(help_text="What was planned, as `manage.py plan --problem` reads it.")
    assignments = models.JSONField()
    figures = models.JSONField()
    difference = models.JSONField(help_text="from what was published")
    changes = models.JSONField(default=list, help_text="What had happened, which holds from its publication on.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "number"], name="plan_number_once_per_shop")]
        ordering = ["shop", "-number"]

    def __str__(self) -> str:
        return f"plan {self.number} of {self.shop}"


class PublishedPlan(models.Model):
    """Which plan of a shop holds. Moved by compare-and-set, in production/plans.py alone."""

    shop = models.CharField(max_length=64, unique=True)
    number = models.PositiveIntegerField(default=0)
    last = models.PositiveIntegerField(default=0, help_text="The highest number given to a plan.")
    published_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.shop}: plan {self.number}"


class JobTicket(models.Model):
    """A released job. Never edited: revision n + 1 supersedes it.

    There is no uniqueness over reference and revision on purpose: the step ledger's fence lets one release through,
    and a constraint here would hide that it failed.
    """

    shop = models.CharField(max_length=64)
    reference = models.CharField(max_length=64, db_index=True)
    revision = models.PositiveIntegerField()
    released_at = models.DateTimeField()
    manifest = models.JSONField()

    def __str__(self) -> str:
        return f"{self.reference} r{self.revision}"


class OutputFile(models.Model):
    """A file that was written for a ticket and verified."""

    ticket = models.ForeignKey(JobTicket, related_name="files", on_delete=models.CASCADE)
    format = models.CharField(max_length=32)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.format} {self.path}"


class Delivery(models.Model):
    """One sending of a job's files into a hot folder: how far it came, and when it was done."""

    class State(models.TextChoices):
        SENDING = "sending"  # files are being put into the folder; nothing has started
        STAGED = "staged"  # the last file lies there under the hidden name `waiting`, or was just renamed
        SENT = "sent"

    shop = models.CharField(max_length=64)
    job = models.CharField(max_length=100)
    number = models.PositiveIntegerField(help_text="2 and more: somebody sent it again on purpose")
    ticket = models.ForeignKey(JobTicket, null=True, blank=True, related_name="deliveries", on_delete=models.PROTECT)
    hot_folder = models.CharField(max_length=500)
    files = models.JSONField(help_text="names, in the order they were sent")
    by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.SENDING)
    waiting = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["shop", "job", "number"], name="one_delivery_per_job_and_number")
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.state}"

    @property
    def folder(self) -> str:
        """The last part of the hot folder's path, as people call it."""
        return self.hot_folder.rstrip("/").rpartition("/")[2]


class CostSheet(models.Model):
    """The costing of a ticket, as it was printed."""

    ticket = models.OneToOneField(JobTicket, related_name="costing", on_delete=models.CASCADE)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    price = models.DecimalField(max_digits=14, decimal_places=2)
    price_per_m = models.DecimalField(max_digits=14, decimal_places=2)
    lines = models.JSONField()
    document = models.JSONField(default=dict, help_text="The whole costing, so that it can be issued again.")
    issue = models.PositiveIntegerField(default=1, help_text="Counts what was reported since the release.")
    actual = models.DecimalField(max_digits=14, decimal_places=2, null=True, help_text="What the job cost in the end.")

    def __str__(self) -> str:
        return f"{self.price} {self.currency}"


class ActualUse(models.Model):
    """What one line of a ticket's costing really took. Never edited: a later report of the same line supersedes it."""

    ticket = models.ForeignKey(JobTicket, related_name="uses", on_delete=models.CASCADE)
    issue = models.PositiveIntegerField(help_text="of the costing that shows it first")
    code = models.CharField(max_length=80, help_text="of the costing's line")
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    rate = models.DecimalField(max_digits=14, decimal_places=4, null=True, help_text="Empty: the planned one.")
    what = models.CharField(max_length=200, blank=True, help_text="for something that was not planned")
    unit = models.CharField(max_length=32, blank=True)
    source = models.CharField(max_length=300, blank=True, help_text="who or what says so")
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.code} {self.quantity} {self.unit}"


class CheckReport(models.Model):
    """The findings a ticket was released with."""

    ticket = models.OneToOneField(JobTicket, related_name="report", on_delete=models.CASCADE)
    passed = models.BooleanField()
    findings = models.JSONField()

    def __str__(self) -> str:
        return "passed" if self.passed else "failed"


class Inspection(models.Model):
    """What a length of a job's cloth was found to be, and what a person decided of it.

    Written by orders/inspecting.py; what was decided is never changed, another look at the cloth is another row.
    """

    class State(models.TextChoices):
        WAITING = "waiting"  # its scans are there, and nobody has looked at them yet
        MEASURED = "measured"  # graded; a person has to decide
        REFUSED = "refused"  # its scans can't be inspected, for `reason`: give others, or look at the cloth
        DECIDED = "decided"
        OVERTAKEN = "overtaken"  # the line went on without it, or newer scans took its place

    shop = models.CharField(max_length=64)
    reference = models.CharField(max_length=64, db_index=True, help_text="Of the order line.")
    run = models.PositiveSmallIntegerField(help_text="Of the line's production runs.")
    revision = models.PositiveIntegerField(help_text="Of the ticket that the cloth was made by.")
    number = models.PositiveSmallIntegerField(help_text="Of the looks at this line's cloth, from 1.")
    once = models.UUIDField(unique=True, editable=False, help_text="Of the upload: sent twice, it is one inspection.")
    machine = models.CharField(max_length=64, blank=True, help_text="That made the pattern.")
    ink_set = models.CharField(max_length=64, blank=True)
    article = models.CharField(max_length=64, help_text="The fabric, or the weave.")
    scans = models.JSONField(default=list, help_text="name, path, sha256, bytes of each, from the head of the roll on.")
    by = models.CharField(max_length=150, blank=True, help_text="Who gave the scans.")
    at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    reason = models.JSONField(null=True, help_text="code and sentence: why it can't be inspected.")
    outcome = models.JSONField(null=True, help_text="What was measured; production/inspection/outcome.py reads it.")
    grade = models.JSONField(null=True, help_text="Four-point grade; production/domain/grading.py reads it.")
    rule = models.JSONField(null=True, help_text="What the customer takes, as it stood then.")
    proposal = models.JSONField(null=True, help_text="What the rule says of this cloth, with its reasons.")
    synthetic = models.BooleanField(default=False, help_text="A simulated scan: no cloth was seen.")
    threshold = models.JSONField(null=True, help_text="From which score on a place was a defect, and how that was set.")
    measured_at = models.DateTimeField(null=True)
    files = models.JSONField(default=list, help_text="kind, name, path, sha256 of overlay, map and report.")
    decision = models.CharField(max_length=16, blank=True, help_text="pass, seconds, cut_out or reprint.")
    good_m = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    scrap_m = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    reprint_m = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    overruled = models.CharField(max_length=500, blank=True, help_text="Why it was decided otherwise than proposed.")
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="When its report had been attached in the ERP.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "reference", "number"], name="inspection_number_once_per_line")
        ]
        ordering = ["shop", "reference", "number"]

    def __str__(self) -> str:
        return f"{self.reference} inspection {self.number}"


class DefectVerdict(models.Model):
    """What a person said of a defect that was found, or was not. Only appended; the newest counts."""

    inspection = models.ForeignKey(Inspection, models.CASCADE, related_name="verdicts")
    number = models.PositiveIntegerField(help_text="Of the defect; 0: it was not found, and a person marked it.")
    confirmed = models.BooleanField(help_text="It is a defect.")
    kind = models.CharField(max_length=32, blank=True, help_text="What it is, as the person says.")
    found_kind = models.CharField(max_length=32, blank=True, help_text="What it was taken for.")
    crop = models.JSONField(help_text="scan sha256, and x_mm, y_mm, width_mm, height_mm on the cloth.")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.inspection} defect {self.number}: {'confirmed' if self.confirmed else 'none'}"


class DefectThreshold(models.Model):
    """From which score on a place of a fabric quality is a defect, set on clean cloth of it. The newest counts."""

    shop = models.CharField(max_length=64)
    article = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, help_text="Of the detector: another one scores otherwise.")
    high = models.FloatField()
    low = models.FloatField()
    clean_m2 = models.FloatField(help_text="Of cloth that it was set on.")
    false_alarms_per_m2 = models.FloatField(help_text="What its inspector will walk for.")
    inspections = models.JSONField(default=list, help_text="Inspections whose cloth was clean, as reference/number.")
    synthetic = models.BooleanField(default=False, help_text="Some of it from simulated scans.")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["shop", "article", "at"])]

    def __str__(self) -> str:
        return f"{self.article}: {self.high:.2f}"


class DriftReading(models.Model):
    """How far one inspected cloth was off in colour and size: a point of the charts over time."""

    inspection = models.OneToOneField(Inspection, models.CASCADE, related_name="drift")
    shop = models.CharField(max_length=64)
    machine = models.CharField(max_length=64)
    ink_set = models.CharField(max_length=64, blank=True)
    article = models.CharField(max_length=64)
    at = models.DateTimeField(help_text="When the cloth was scanned.")
    released_at = models.DateTimeField(help_text="Of its ticket: what was corrected since does not show in it.")
    de00 = models.FloatField(null=True, help_text="Of the colours, by their shares of the area.")
    dl = models.FloatField(null=True, help_text="Lighter than asked, in L*.")
    da = models.FloatField(null=True)
    db = models.FloatField(null=True)
    across_pct = models.FloatField(help_text="Wider than asked, of the repeat.")
    along_pct = models.FloatField(help_text="Longer than asked, of the repeat.")

    class Meta:
        indexes = [models.Index(fields=["shop", "machine", "ink_set", "article", "at"], name="drift_of_one_series")]
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.machine} {self.article} {self.at:%Y-%m-%d}"


class Correction(models.Model):
    """What a person said to what would bring a drift back. `before` and `after`: the values it changes, if accepted."""

    class Kind(models.TextChoices):
        SIZE = "size"  # another pre-compensation: the shrinkage that the catalogue has of the fabric
        PROFILE = "profile"  # the colour profile has to be measured anew
        LIMIT = "limit"  # the cloths of this series are judged by a tighter limit

    shop = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    machine = models.CharField(max_length=64)
    ink_set = models.CharField(max_length=64, blank=True)
    article = models.CharField(max_length=64)
    sentence = models.CharField(max_length=500)
    readings = models.PositiveIntegerField(help_text="How many cloths it rests on.")
    before = models.JSONField()
    after = models.JSONField()
    accepted = models.BooleanField(default=True, help_text="Declined, it changes nothing.")
    why = models.CharField(max_length=300, blank=True, help_text="Why it was declined.")
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.article} on {self.machine}: {self.kind}"
