"""Files on their way into a hot folder: a RIP at the other end takes what it finds, and senders die at every point."""

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from lxml import etree
from production_samples import flipped, job_for, print_spec, raster_for

from orders import sending
from orders.models import AuditEvent, Customer, Membership, Order, OrderLine, Role
from production import services as production
from production.delivery import parcel_of
from production.errors import DiskFull, FilesChanged, NameTaken, NoHotFolder, NothingToSend, SentBefore
from production.files import sha256_of
from production.formats.tickets.ticket import PLACES
from production.models import Delivery, MachineProfile

pytestmark = pytest.mark.django_db


class Rip:
    """A machine's RIP: it starts a job when it finds its ticket, and takes away whatever the job is made of."""

    def __init__(self, folder):
        self.folder, self.printed, self.wrong = folder, [], []

    def look(self):
        """Take what is there, as it would be taken at this very moment."""
        for ticket in sorted(self.folder.glob("[!.]*.xjdf")):
            for spec in etree.parse(str(ticket)).iter("{*}RunList"):
                given = spec.find("{*}FileSpec")
                image = self.folder / given.get("URL")
                if not image.is_file() or sha256_of(image) != given.get("CheckSum"):
                    self.wrong.append(f"{ticket.name} came before {image.name}")
                image.unlink(missing_ok=True)
            self.printed.append(ticket.name)
            ticket.unlink()


@pytest.fixture(scope="module")
def made(tmp_path_factory, django_db_setup):
    """A released job of a small repeat: its folder and manifest, written once."""
    folder = tmp_path_factory.mktemp("job")
    spec = print_spec()
    raster = raster_for(spec)
    job = job_for(spec, replace(raster))
    machine = replace(job.spec.makers[0], sidecar="xjdf")
    operations = tuple(
        tuple(machine if each.code == machine.code else each for each in step) for step in spec.operations
    )
    job = replace(job, spec=replace(spec, operations=operations))
    files = production.write_files(raster, job=job, folder=folder, formats=["tile", "xjdf"])
    manifest = json.loads(files[-1].path.read_text(encoding="utf-8"))
    return SimpleNamespace(
        job=job, raster=raster, folder=folder, manifest=manifest, names=[f.path.name for f in files[:2]]
    )


@pytest.fixture
def hot(tmp_path):
    folder = tmp_path / "hot"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def own_locks(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"


def deliver(made, hot, **how):
    return production.deliver(made.manifest, folder=made.folder, hot_folder=hot, shop="demo", **how)


def shown(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_pictures_come_first_and_the_ticket_last(made, hot):
    seen = []
    sent = deliver(made, hot, by="paula", on_file=lambda name, done, of: seen.append((name, done, of, shown(hot))))
    tile, ticket = made.names
    assert seen == [(tile, 1, 2, [tile]), (ticket, 2, 2, sorted([tile, ticket]))]
    assert sorted(hot.iterdir()) == sorted(hot / name for name in made.names)
    assert all((hot / name).read_bytes() == (made.folder / name).read_bytes() for name in made.names)
    assert (sent.state, sent.by, sent.number, sent.files) == ("sent", "paula", 1, made.names)
    rip = Rip(hot)
    rip.look()
    assert (rip.printed, rip.wrong, shown(hot)) == ([ticket], [], [])


def test_a_job_is_not_sent_twice_but_on_purpose(made, hot):
    deliver(made, hot)
    rip = Rip(hot)
    rip.look()
    with pytest.raises(SentBefore, match="was sent to hot"):
        deliver(made, hot)
    elsewhere = hot.parent / "other"
    elsewhere.mkdir()
    with pytest.raises(SentBefore):  # another machine would make it twice as well
        deliver(made, elsewhere)
    assert shown(hot) == shown(elsewhere) == []
    assert deliver(made, hot, again=True).number == 2
    rip.look()
    assert len(rip.printed) == 2


def test_it_is_not_sent_again_while_the_machine_has_not_taken_it(made, hot):
    deliver(made, hot)
    with pytest.raises(NameTaken, match="not taken it yet"):
        deliver(made, hot, again=True)


@pytest.mark.parametrize("what", ["missing", "a file"])
def test_a_folder_that_is_not_there_is_refused(made, tmp_path, what):
    folder = tmp_path / "nowhere"
    if what == "a file":
        folder.write_bytes(b"")
    with pytest.raises(NoHotFolder, match="is not there"):
        deliver(made, folder)
    assert Delivery.objects.count() == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_t_be_written_is_refused(made, hot):
    hot.chmod(0o500)
    with pytest.raises(NoHotFolder, match="can't be written"):
        deliver(made, hot)


def test_a_file_changed_after_its_release_starts_nothing(made, hot, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in made.names:
        (folder / name).write_bytes((made.folder / name).read_bytes())
    flipped(folder / made.names[0], 3000).replace(folder / made.names[0])
    with pytest.raises(FilesChanged, match="Release the job again"):
        production.deliver(made.manifest, folder=folder, hot_folder=hot, shop="demo")
    (folder / made.names[0]).unlink()
    with pytest.raises(FilesChanged):
        production.deliver(made.manifest, folder=folder, hot_folder=hot, shop="demo")
    assert list(hot.iterdir()) == []


def test_another_file_of_that_name_stays_as_it_is(made, hot):
    (hot / made.names[0]).write_bytes(b"somebody's")
    with pytest.raises(NameTaken):
        deliver(made, hot)
    assert (hot / made.names[0]).read_bytes() == b"somebody's"
    assert shown(hot) == [made.names[0]]
    (hot / made.names[0]).unlink()
    assert deliver(made, hot).state == "sent"  # the same delivery goes on


def test_a_full_disk_leaves_no_half_file(made, hot):
    limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    biggest = max((made.folder / name).stat().st_size for name in made.names)
    resource.setrlimit(resource.RLIMIT_FSIZE, (biggest - 1, limits[1]))
    try:
        with pytest.raises(DiskFull) as refused:
            deliver(made, hot)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert refused.value.retryable
    assert list(hot.iterdir()) == []
    assert deliver(made, hot).state == "sent"


def test_a_machine_without_a_ticket_gets_its_file_alone(made):
    plain = {**made.manifest, "machine": {**made.manifest["machine"], "sidecar": ""}}
    assert [path.name for path in parcel_of(plain, made.folder).files] == made.names[:1]
    profile = {**made.manifest["files"][0], "name": "WL-000001-1-r1.icc"}
    beside = {**plain, "files": [made.manifest["files"][0], profile]}
    assert [path.suffix for path in parcel_of(beside, made.folder).files] == [".icc", ".tif"]


def test_a_job_without_what_its_machine_takes_is_refused(made):
    for files, said in [([], "file that its machine"), (made.manifest["files"][:1], "ticket of kind xjdf")]:
        with pytest.raises(NothingToSend, match=said):
            parcel_of({**made.manifest, "files": files}, made.folder)
    long = [{**file, "name": "x" * 70 + file["name"]} for file in made.manifest["files"]]
    with pytest.raises(NothingToSend, match="at most 64"):
        parcel_of({**made.manifest, "files": long}, made.folder)


def test_two_who_send_at_once_are_told_apart(made, hot):
    told = []

    def second(name, done, of):
        with pytest.raises(SentBefore, match="being sent just now") as refused:
            deliver(made, hot)
        told.append(refused.value.code)

    deliver(made, hot, on_file=second)
    assert told == ["sent_before"] * 2


def test_every_ticket_that_can_be_written_can_be_chosen_for_a_machine():
    choices = {code for code, _ in MachineProfile._meta.get_field("sidecar").choices}
    assert choices == set(PLACES)


# ------------------------------------------------------------------------------------------------ killed on the way

NOTICED = {"open", "os.rename", "os.remove", "os.link", "sqlite3.connect"}


def in_a_child(work, *, die_at):
    """Run `work` in a child that is killed as it begins the `die_at`th thing it does to files; returns if it was."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event, args):
            nonlocal count
            if event in NOTICED:
                count += 1
                if count == die_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            work()
            os._exit(0)
        except BaseException:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the delivery itself failed"
    return os.WIFSIGNALED(status)


def sent_with_kills(made, hot, look, *, deaths):
    """Send, killed at each of `deaths` in turn, then undisturbed; the RIP looks after every try, or only at the end."""
    rip = Rip(hot)
    killed = []

    def send():
        with suppress(SentBefore):  # once the ticket has its name, the job is sent
            deliver(made, hot)

    for point in deaths:
        killed.append(in_a_child(send, die_at=point))
        if look:
            rip.look()
    send()
    rip.look()
    return rip, any(killed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("look", [True, False], ids=["the RIP takes it at once", "the RIP comes later"])
def test_killed_at_any_point_it_is_printed_once_and_whole(made, tmp_path, look):
    point, alive = 0, False
    while not alive:
        point += 1
        hot = tmp_path / f"hot-{point}"
        hot.mkdir()
        Delivery.objects.all().delete()
        rip, killed = sent_with_kills(made, hot, look, deaths=[point])
        assert rip.printed == [made.names[1]], f"killed at point {point}"
        assert rip.wrong == []
        assert list(hot.iterdir()) == [], f"killed at point {point}"
        assert Delivery.objects.get().state == "sent"
        alive = not killed
    assert point > 12


@pytest.mark.django_db(transaction=True)
def test_killed_again_while_going_on_it_is_still_printed_once(made, tmp_path):
    for first in range(1, 40, 3):
        for second in (2, 4):
            hot = tmp_path / f"hot-{first}-{second}"
            hot.mkdir()
            Delivery.objects.all().delete()
            rip, _ = sent_with_kills(made, hot, True, deaths=[first, second])
            assert (rip.printed, rip.wrong) == ([made.names[1]], []), f"killed at {first}, then at {second}"


def test_the_watcher_finds_a_ticket_that_comes_before_its_picture(made, hot):
    rip = Rip(hot)
    for name in reversed(made.names):
        (hot / name).write_bytes((made.folder / name).read_bytes())
        rip.look()
    assert rip.wrong == [f"{made.names[1]} came before {made.names[0]}"]


def test_without_the_memory_of_the_hidden_name_it_would_be_printed_twice(made, hot):
    rip = Rip(hot)
    deliver(made, hot)
    rip.look()
    Delivery.objects.update(state="sending", waiting="", sent_at=None)  # as if nothing had been written before renaming
    deliver(made, hot)
    rip.look()
    assert len(rip.printed) == 2


# ------------------------------------------------------------------------------------------------ from the order


@pytest.fixture
def line(mill, made, settings, tmp_path):
    """A released line of the demo mill whose files are the small job's."""
    job = replace(made.job, spec=replace(made.job.spec, shop=mill.slug))
    files = production.write_files(made.raster, job=job, folder=tmp_path / "released", formats=["tile", "xjdf"])
    production.record_release(job.reference, job.revision, files, job)
    customer, _ = Customer.objects.get_or_create(shop=mill, name="Atelier Nord")
    order = Order.objects.create(shop=mill, customer=customer, number="WL-000001")
    line = OrderLine.objects.create(
        order=order,
        position=1,
        reference=job.reference,
        substrate="FAB-COT-SAT",
        quantity_m=2,
        due_date="2026-12-24",
        state="released",
    )
    line.rounds.create(number=1, words="flowers", layout="half_drop", repeat_width_mm=40, repeat_height_mm=40)
    return line


@pytest.fixture
def planner(mill):
    user = User.objects.create_user("paula")
    Membership.objects.create(shop=mill, user=user, role=Role.PLANNER)
    client = Client()
    client.force_login(user)
    return client


def test_a_planner_sends_a_released_line_and_the_trail_says_so(line, planner, settings):
    client = planner
    sent = client.post(f"/api/lines/{line.reference}/send/", {}, content_type="application/json")
    assert sent.status_code == 200, sent.content
    hot = Path(settings.VAR_DIR) / "hot" / "PRT1"
    assert len(shown(hot)) == 2
    event = AuditEvent.objects.get(action="send")
    assert (event.actor, event.line, event.details["hot_folder"]) == ("paula", line, str(hot))
    again = client.post(f"/api/lines/{line.reference}/send/", {}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "sent_before")
    Rip(hot).look()
    once_more = client.post(f"/api/lines/{line.reference}/send/", {"again": True}, content_type="application/json")
    assert once_more.status_code == 200
    assert AuditEvent.objects.filter(action="send").count() == 2


def test_the_page_of_a_released_line_sends_it_and_then_says_when(line, planner, settings):
    page = planner.get(f"/lines/{line.reference}/").content.decode()
    assert "Send to the machine" in page
    assert "send it again" not in page
    page = planner.post(f"/lines/{line.reference}/send/", follow=True).content.decode()
    assert "WL-000001-1 r1 is in the machine&#x27;s hot folder" in page
    assert "Sent to the hot folder PRT1" in page
    assert "send it again" in page
    page = planner.post(f"/lines/{line.reference}/send/", follow=True).content.decode()
    assert "was sent to PRT1" in page
    Rip(Path(settings.VAR_DIR) / "hot" / "PRT1").look()
    planner.post(f"/lines/{line.reference}/send/", {"again": "on"})
    assert Delivery.objects.count() == 2


def test_the_admin_refuses_files_that_nobody_writes_and_folders_that_are_not_there(mill, admin_client, tmp_path):
    row = MachineProfile.objects.get(code="PRT1")
    address = f"/admin/production/machineprofile/{row.pk}/change/"
    shown_form = admin_client.get(address).context["adminform"].form
    values = {name: value for name, value in shown_form.initial.items() if value is not None}
    values["other_ink_sets"] = [each.pk for each in row.other_ink_sets.all()]
    values |= {"castout": "[]", "files": '["tile", "hologram"]', "hot_folder": str(tmp_path / "nowhere")}
    errors = admin_client.post(address, values).context["adminform"].form.errors
    assert set(errors) == {"files", "hot_folder"}
    assert "no such folder" in str(errors["hot_folder"])
    values |= {"files": '["tile", "durst", "pdfx"]', "sidecar": "durst", "hot_folder": str(tmp_path)}
    assert admin_client.post(address, values).status_code == 302
    row.refresh_from_db()
    assert (row.files, row.sidecar, row.hot_folder) == (["tile", "durst", "pdfx"], "durst", str(tmp_path))


def test_only_a_released_line_is_sent(line):
    OrderLine.objects.update(state="planning")
    line.refresh_from_db()
    with pytest.raises(sending.NotReleased):
        sending.send(line, by=None)


def test_a_machine_without_a_hot_folder_is_named(line):
    MachineProfile.objects.filter(code="PRT1").update(hot_folder="")
    with pytest.raises(NoHotFolder, match="PRT1 has no hot folder"):
        sending.send(line, by=None)


def test_one_command_sends_a_folder_or_a_released_line(made, line, hot, settings, capsys):
    call_command("deliver_files", line.reference, "--to", str(hot), "--json")
    assert json.loads(capsys.readouterr().out)["files"] == Delivery.objects.get().files
    with pytest.raises(SystemExit) as refused:
        call_command("deliver_files", str(made.folder), "--machine", "PRT2", "--json")
    assert (refused.value.code, json.loads(capsys.readouterr().out)["code"]) == (3, "sent_before")
    Delivery.objects.all().delete()
    call_command("deliver_files", str(made.folder), "--machine", "PRT2", "--json")
    assert len(shown(Path(settings.VAR_DIR) / "hot" / "PRT2")) == 2
    with pytest.raises(SystemExit) as unknown:
        call_command("deliver_files", str(hot), "--to", str(hot))
    assert unknown.value.code == 2
