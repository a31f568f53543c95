"""Sick answers of an ERP: whatever comes over the line, one of five errors is raised, in time, and nothing believed."""

import datetime
import ipaddress
import logging
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from inventory_sync.connectors import odoo_http, odoo_links
from inventory_sync.connectors.odoo import JsonRpc, OdooJsonRpc
from inventory_sync.connectors.odoo_json2 import Json2, OdooJson2
from inventory_sync.connectors.odoo_rpc import checked_url
from inventory_sync.connectors.odoo_session import Session, forget_sessions
from inventory_sync.credentials import keep_secret
from inventory_sync.errors import ErpAmbiguous, ErpError, ErpProtocol, ErpRejected, ErpUnavailable
from inventory_sync.models import ErpConnection, ErpLink
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER, RemoteRef
from tests import sick_server as sick

pytestmark = pytest.mark.django_db

CANARY = "canary-4f1d-password"
TIMEOUT_S = 0.4
TRANSPORTS = {"JSON-RPC": JsonRpc, "JSON-2": Json2}
ERPS = {"JSON-RPC": OdooJsonRpc, "JSON-2": OdooJson2}
LOGIN = {"JSON-RPC": 3, "JSON-2": 0}  # round trips before the first call: version, login, who we are


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(odoo_http, "READ_TIMEOUT_S", TIMEOUT_S)
    monkeypatch.setattr(odoo_http, "WRITE_TIMEOUT_S", TIMEOUT_S)


def way_to(url, transport, secret=CANARY):
    return TRANSPORTS[transport](ErpConnection(shop="sick", url=url, database="mill", login="connector"), secret)


def read(rpc):
    return rpc.call("sale.order", "read", [1], fields=["state"])


def write(rpc):
    return rpc.call("sale.order", "action_confirm", [1], writes=True)


def refusal_of(action, *args):
    """What the action raises, in time; it says nothing of the key."""
    started = time.monotonic()
    with pytest.raises(ErpError) as raised:
        action(*args)
    assert time.monotonic() - started < TIMEOUT_S + 1
    shown = [raised.value]
    while shown[-1].__cause__ or shown[-1].__context__:
        shown.append(shown[-1].__cause__ or shown[-1].__context__)
    assert CANARY not in " ".join(f"{error!r} {error} {getattr(error, 'fields', '')}" for error in shown)
    return raised.value


UNKNOWN = (ErpUnavailable, ErpAmbiguous)  # reading can be repeated, what was written may have been done
BUSY = (ErpUnavailable, ErpUnavailable)
NONSENSE = (ErpProtocol, ErpProtocol)
RPC = {"jsonrpc": "2.0"}
NESTED = b"[" * 100_000
ILLNESSES = {
    "it resets the connection": (sick.reset, UNKNOWN),
    "it closes the connection": (sick.closed, UNKNOWN),
    "it says nothing": (sick.silent, UNKNOWN),
    "it trickles its headers": (sick.trickles(every_s=0.1), UNKNOWN),
    "it trickles its body": (sick.trickles(every_s=0.1, headers=False), UNKNOWN),
    "a proxy has no answer from it": (sick.sends(sick.page("502 Bad Gateway")), UNKNOWN),
    "a proxy has no answer in time": (sick.sends(sick.page("504 Gateway Timeout")), UNKNOWN),
    "a proxy gave up on it": (sick.sends(sick.page("524 A Timeout Occurred")), UNKNOWN),
    "it is too busy": (sick.sends(sick.page("429 Too Many Requests")), BUSY),
    "it is being mended": (sick.sends(sick.page("503 Service Unavailable")), BUSY),
    "a page stands in its place": (sick.sends(sick.page("200 OK")), NONSENSE),
    "it sends elsewhere": (sick.sends(sick.page("302 Found")), NONSENSE),
    "its body is cut": (sick.sends(sick.cut(2)), UNKNOWN),
    "its body never comes": (sick.sends(lambda request: sick.http(b"", length=12)), UNKNOWN),
    "its headers are cut": (sick.sends(lambda request: sick.healthy(request)[:30]), UNKNOWN),
    "its status is cut": (sick.sends(lambda request: b"HTTP/1.1 2"), UNKNOWN),
    "its JSON is cut": (sick.sends(lambda request: sick.http(request.told(request.answer)[:-2])), UNKNOWN),
    "its answer has no end of brackets": (sick.sends(lambda request: sick.http(NESTED)), NONSENSE),
    "it is too much": (sick.sends(lambda request: sick.http(request.told("x" * 300_000))), NONSENSE),
    "it speaks something else": (sick.sends(lambda request: b"SSH-2.0-OpenSSH_9.2\r\n"), UNKNOWN),
    "it fails and says nothing": (sick.sends(sick.failing({})), NONSENSE),
    "it fails without data": (sick.sends(sick.failing({"code": 200, "message": "Odoo Server Error"})), NONSENSE),
    "it fails with no data": (sick.sends(sick.failing({"message": "Odoo Server Error", "data": None})), NONSENSE),
    "it fails without a name": (sick.sends(sick.failing({"data": {"message": "oh"}})), NONSENSE),
    "it fails with a word": (sick.sends(sick.failing("oh")), NONSENSE),
}


@pytest.mark.parametrize("illness", ILLNESSES)
def test_a_sick_answer_is_one_of_five_errors_in_time(transport, illness, monkeypatch):
    monkeypatch.setattr(odoo_http, "LARGEST_ANSWER", 2**18)
    ill, expected = ILLNESSES[illness]
    for action, kind in zip((read, write), expected, strict=True):
        with sick.SickServer(ill, well=LOGIN[transport]) as server:
            assert type(refusal_of(action, way_to(server.url, transport))) is kind
            assert len(server.requests) == LOGIN[transport] + 1, "asked once, and not again by itself"


@pytest.mark.parametrize("illness", ILLNESSES)
@pytest.mark.parametrize("well", [0, 1, 2])
def test_who_falls_ill_while_we_log_in_has_done_nothing_yet(illness, well, monkeypatch):
    monkeypatch.setattr(odoo_http, "LARGEST_ANSWER", 2**18)
    ill, (reading, _) = ILLNESSES[illness]
    with sick.SickServer(ill, well=well) as server:
        assert type(refusal_of(write, way_to(server.url, "JSON-RPC"))) is reading


@pytest.mark.parametrize("illness", ILLNESSES)
def test_who_falls_ill_when_asked_for_its_version_or_our_name_is_one_of_five_too(transport, illness, monkeypatch):
    monkeypatch.setattr(odoo_http, "LARGEST_ANSWER", 2**18)
    ill, (reading, _) = ILLNESSES[illness]
    for ask in ("version", "user_id"):
        with sick.SickServer(ill) as server:
            assert type(refusal_of(getattr(way_to(server.url, transport), ask))) is reading


@pytest.mark.parametrize("said", [None, 0, [], {}, "yes", [[1]], {"server_version": 19}, {"uid": "seven"}])
def test_an_answer_of_the_wrong_kind_while_we_log_in_is_not_believed(transport, said):
    for well in range(max(LOGIN[transport], 1)):
        with sick.SickServer(sick.sends(lambda request: sick.http(request.told(said))), well=well) as server:
            if well == 2:
                continue  # the user's language and zone: nothing of them is used
            no = well == 1 and not said  # so Odoo says that the key is not accepted
            assert type(refusal_of(introduce, way_to(server.url, transport))) is (ErpRejected if no else ErpProtocol)


def introduce(rpc):
    return rpc.user_id(), Session(rpc).names


def test_a_refused_connection_has_done_nothing(transport):
    with sick.SickServer(sick.reset, well=LOGIN[transport] + 1) as server:
        rpc = way_to(server.url, transport)
        assert read(rpc)
        server.hang_up()
        for action in (read, write):
            assert type(refusal_of(action, rpc)) is ErpUnavailable


def test_a_host_that_is_none_has_done_nothing(transport):
    for host in ("erp.invalid", f"{'x' * 64}.example"):
        assert type(refusal_of(write, way_to(f"https://{host}", transport))) is ErpUnavailable


@pytest.mark.alone
def test_the_limit_of_a_write_is_another_than_that_of_a_reading(transport, monkeypatch):
    monkeypatch.setattr(odoo_http, "READ_TIMEOUT_S", 0.1)
    for action, limit_s in ((read, 0.1), (write, TIMEOUT_S)):
        with sick.SickServer(sick.silent, well=LOGIN[transport]) as server:
            started = time.monotonic()
            refusal_of(action, way_to(server.url, transport))
            assert limit_s <= time.monotonic() - started < limit_s + 0.3


def test_a_healthy_answer_is_believed(transport):
    with sick.SickServer(sick.reset, well=LOGIN[transport] + 2) as server:
        rpc = way_to(server.url, transport)
        assert read(rpc) == [sick.ROW]
        assert write(rpc) is True


# ------------------------------------------------------------------------------------------------ wrong answers


def test_an_answer_to_another_question_is_not_believed():
    for changes in ({"id": 1}, {"id": None}, {"jsonrpc": "1.0"}):
        wrong = sick.sends(lambda request, changes=changes: sick.http(request.told(True, **changes)))
        with sick.SickServer(wrong, well=3) as server:
            assert type(refusal_of(write, way_to(server.url, "JSON-RPC"))) is ErpProtocol


def test_the_answer_before_said_once_more_is_not_believed():
    before = []

    def late(connection, request):
        before.append(sick.healthy(request))
        connection.sendall(before[0])

    with sick.SickServer(late, well=3) as server:
        rpc = way_to(server.url, "JSON-RPC")
        assert read(rpc) == [sick.ROW]
        assert type(refusal_of(read, rpc)) is ErpProtocol


def test_of_two_answers_on_one_connection_the_second_is_nobodys(transport):
    twice = sick.sends(lambda request: sick.healthy(request) * 2)
    with sick.SickServer(twice, well=LOGIN[transport]) as server:
        rpc = way_to(server.url, transport)
        assert [read(rpc), write(rpc)] == [[sick.ROW], True]


@pytest.mark.parametrize(
    "said", [None, True, {}, "rows", [1], [{"id": 1}], [{"state": "draft"}], [{"id": 2, "state": "draft"}]]
)
def test_rows_that_can_not_be_those_asked_for_are_not_believed(transport, said):
    with sick.SickServer(sick.sends(lambda request: sick.http(request.told(said))), well=LOGIN[transport]) as server:
        assert type(refusal_of(read, way_to(server.url, transport))) is ErpProtocol


def test_a_number_that_is_cut_is_no_smaller_number():
    cut = sick.sends(lambda request: sick.http(b"4711")[:-2])
    with sick.SickServer(cut) as server:
        assert type(refusal_of(write, way_to(server.url, "JSON-2"))) is ErpAmbiguous


@pytest.mark.parametrize("illness", ILLNESSES)
def test_what_a_sick_answer_says_of_a_new_record_is_not_remembered(transport, illness, monkeypatch):
    monkeypatch.setattr(odoo_http, "LARGEST_ANSWER", 2**18)
    ill, _ = ILLNESSES[illness]
    with sick.SickServer(ill, well=LOGIN[transport]) as server:
        kept(server.url)
        session = Session(way_to(server.url, transport))
        session.__dict__["company"] = {"id": 1}
        refusal_of(make_note, session)
    link = ErpLink.objects.get()
    assert link.remote_id is None, "it may have been made: it is looked up before it is made again"


def kept(url):
    connection = ErpConnection(shop="sick", url=url, database="mill", login="connector")
    keep_secret(connection, CANARY)
    connection.save()


def make_note(session):
    odoo_links.make_once(
        session, "sick", kind="note", model="mail.message", external_id="note:1", columns=["id", "body"], rows=[["hi"]]
    )


@pytest.mark.parametrize("kind", [SALE_ORDER, MANUFACTURING_ORDER])
@pytest.mark.parametrize("known", [True, False])
def test_another_companys_record_is_not_believed_and_nothing_is_done_to_it(transport, kind, known):
    ref = RemoteRef(kind, "weftline:sick:WL-000001", "1", "draft")
    asks = [lambda erp: erp.find(kind, ref.external_id)]
    if known:
        ErpLink.objects.create(shop="sick", kind=kind, external_id=ref.external_id, remote_id=1)
        asks += [lambda erp: erp.standing([ref]), lambda erp: erp.act(ref, "cancel", "draft")]
    with sick.SickServer(sick.sends(sick.healthy)) as server:
        kept(server.url)
        for ask in asks:
            assert type(refusal_of(ask, erp_of(transport, company=2))) is ErpProtocol
        assert {request.method for request in server.requests} <= {"", "context_get", "read", "search_read", LOOK_UP}
        assert ErpLink.objects.count() == known
        assert erp_of(transport, company=1).find(kind, ref.external_id) == ref


LOOK_UP = "check_object_reference"


def erp_of(transport, company):
    """The whole connector, which knows already which company is ours."""
    forget_sessions()
    erp = ERPS[transport](shop="sick")
    erp.session.__dict__["company"] = {"id": company}
    return erp


# ------------------------------------------------------------------------------------------------ keys and certificates


def test_a_certificate_that_nobody_vouches_for_is_sent_nothing(transport, tmp_path):
    with sick.SickServer(sick.reset, certificate=certificate(tmp_path)) as server:
        error = refusal_of(write, way_to(server.url, transport))
        assert type(error) is ErpUnavailable
        assert "certificate" in str(error)
        assert server.connections == 1
        assert server.requests == []


def test_a_certificate_that_is_trusted_is_and_its_trickle_ends_in_time(transport, tmp_path, monkeypatch):
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    trickle = sick.trickles(every_s=0.1, headers=False)
    with sick.SickServer(trickle, well=LOGIN[transport] + 1, certificate=files) as server:
        rpc = way_to(server.url, transport)
        assert read(rpc) == [sick.ROW]
        assert type(refusal_of(write, rpc)) is ErpAmbiguous


def certificate(folder):
    """A certificate for 127.0.0.1 that it signed itself; (its file, its key's)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com", "http://192.168.0.7:8069", "http://127.0.0.1.example.com", "ftp://127.0.0.1",
        f"https://connector:{CANARY}@erp.example.com", f"https://{CANARY}@erp.example.com", "https://erp.example.com/odoo",
        "https://erp.example.com#odoo", "https://erp.example.com:99999", "https://[::1", "https://", "erp.example.com",
    ],
)  # fmt: skip
def test_an_address_that_would_send_the_key_in_clear_or_is_none_is_refused(transport, url):
    error = refusal_of(way_to, url, transport)
    assert type(error) is ErpRejected
    assert error.fields["field"] == "url"


@pytest.mark.parametrize(
    "url", ["http://localhost:8069", "http://127.0.0.1:8069/", "http://[::1]:8069", "https://erp.example.com"]
)
def test_an_address_on_this_machine_or_over_tls_is_taken(url):
    assert checked_url(url) == url.rstrip("/")


def test_a_key_with_a_character_that_no_key_has_is_refused_and_not_shown():
    with sick.SickServer(sick.reset) as server:
        for key in (f"{CANARY}\n", f"{CANARY}é", f"{CANARY}…"):
            error = refusal_of(read, way_to(server.url, "JSON-2", key))
            assert type(error) is ErpRejected
        assert server.connections == 0


class Kept(logging.Handler):
    """Every record that is logged, as it would be written."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.getMessage()} {record.args!r} {record.exc_info!r}")


@pytest.fixture
def logged():
    handler, root = Kept(), logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in ("odoorpc", "odoorpc.rpc", "odoorpc.rpc.jsonrpclib"))]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.lines
    root.removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def talk(transport):
    """A login and a call that are well, and one that fails."""
    with sick.SickServer(sick.sends(sick.failing({"oh": 1})), well=LOGIN[transport] + 1) as server:
        rpc = way_to(server.url, transport)
        read(rpc)
        refusal_of(write, rpc)


def test_the_key_is_never_logged_however_much_is(transport, logged):
    talk(transport)
    logging.getLogger("somebody").debug("that debug records are kept")
    assert any("debug records are kept" in line for line in logged)
    assert not any(CANARY in line for line in logged)


def test_without_the_filter_the_key_is_logged(logged, monkeypatch):
    """The negative control: odoorpc does write it."""
    for name in ("odoorpc", "odoorpc.rpc", "odoorpc.rpc.jsonrpclib"):
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    talk("JSON-RPC")
    assert any(CANARY in line for line in logged)
