"""A line that has everything that could leak: a drawn candidate, a ticket and its file."""

import hashlib
import io
import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from generation import storage
from generation.domain.latent import GRID_PX, ROLES
from generation.models import LatentSpace
from orders import services
from orders.models import Candidate, CustomerLink, CustomerWish, Membership, Notice, Pin, PlanRun, Role, Shop, Step
from production import plans
from production.models import JobTicket, PlanVersion
from production.planning.comparing import compare
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment, Job, Machine, Operation, Problem
from tests.inspected import inspected, looked_at
from tests.shop_floor import stripes

PEOPLE = ("anonymous", "stranger", *[role.value for role in Role])


@pytest.fixture
def people(mill):
    """A logged-in client for each person; the stranger is an administrator of another shop."""
    other = Shop.objects.create(slug="other", name="Another mill")
    clients = {"anonymous": Client()}
    for name in PEOPLE[1:]:
        user = User.objects.create_user(name)
        role = Role.ADMIN if name == "stranger" else Role(name)
        Membership.objects.create(shop=other if name == "stranger" else mill, user=user, role=role)
        clients[name] = Client()
        clients[name].force_login(user)
    return clients


@pytest.fixture
def line(mill):
    """A draft with a candidate, a ticket, a step and a notice: every address that shows something has what to show."""
    new = services.NewLine(
        words="stripes", quantity_m=5, layout="straight", repeat_mm=(100, 100), substrate="FAB-COT-SAT", due_in_days=30
    )
    line = services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()
    drawn = Candidate.objects.create(round=line.newest_round, position=1, artwork=stripes(), drawn_at=timezone.now())
    link = CustomerLink.objects.create(line=line, digest="0" * 64, expires_at=timezone.now() + timedelta(days=1))
    Pin.objects.create(candidate=drawn, x_mm=1, y_mm=1, words="Here.", author="Atelier Nord", link=link)
    CustomerWish.objects.create(line=line, link=link, words="Larger.", once=uuid.uuid4())
    path = Path(settings.VAR_DIR) / "ticket.pdf"
    path.write_bytes(b"%PDF of a secret order")
    ticket = JobTicket.objects.create(
        shop=mill.slug, reference=line.reference, revision=1, released_at=timezone.now(), manifest={}
    )
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    ticket.files.create(format="ticket_pdf", path=str(path), sha256=sha256, size_bytes=path.stat().st_size)
    Step.objects.create(line=line, kind="quote", state="done", due_at=timezone.now())
    Notice.objects.create(shop=mill, line=line, code="late", sentence=f"{line.reference} is late.", key="late:1")
    found = inspected(length_m=0.3, width_mm=60, count=1, colours=1)
    looked_at(line, found, scans=[{"name": "a.tif", "path": "/srv/secret/a.tif", "sha256": "0" * 64, "bytes": 9}])
    plan(mill.slug)
    PlanRun.objects.create(shop=mill, kind="plan")
    space(mill.slug)
    return line


def plan(shop: str) -> PlanVersion:
    """A kept plan of one operation."""
    machine = Machine("PRT1", ((0, 480),))
    problem = Problem(0, 480, (machine,), (Job("A", due=400),), (Operation("A.1", "A", {"PRT1": 60}),))
    placed = (Assignment("A.1", "PRT1", 0, 60, 0),)
    found = Plan(placed, figures_of(problem, placed), by="hand")
    return plans.keep(shop, problem, found, compare(problem, (), placed), base=0, reason="by hand")


def space(shop: str) -> LatentSpace:
    """A space with one axis and no designs."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, ROLES, GRID_PX, GRID_PX), np.float32))
    _, path = storage.put(buffer.getvalue(), shelf="latent", suffix="npy")
    axes = [{"name": "density", "least": -1.0, "most": 1.0, "share": 1.0}]
    return LatentSpace.objects.create(
        shop=shop, name="nord", version=1, fingerprint="f", designs=[], axes=axes, path=path
    )
