"""Making a record in Odoo once, whatever gets lost: by external id, looked up before any retry, remembered for ever.

`load` makes a record and its external id in one transaction of Odoo's, so the same name never becomes two records,
whoever writes at the same time. What it can't do is tell a lost answer from one that never came. So a row here says
first that the record may be made (an ErpLink without an id), and whoever finds such a row looks the name up before
loading again. Once the id is known it stays known: what somebody deletes in Odoo, together with its external id, is
reported and never made anew.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_session import Session
from inventory_sync.errors import ErpConflict, ErpError, ErpProtocol, ErpRejected
from inventory_sync.models import ErpLink

TRIES: Final = 4
PAUSE_S: Final = 0.15
LOADING: Final = {"import_file": True}  # Odoo 14 makes a manufacturing order's finished move only for an import


def link_of(shop: str, external_id: str) -> ErpLink | None:
    """The link of a record that Odoo has acknowledged."""
    return ErpLink.objects.filter(shop=shop, external_id=external_id).exclude(remote_id=None).first()


def make_once(
    session: Session,
    shop: str,
    *,
    kind: str,
    model: str,
    external_id: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    context: Mapping[str, Any] | None = None,
) -> tuple[ErpLink, bool]:
    """The record of that external id, made if it never was; returns its link and whether this call made it.

    `columns` begin with "id", which is filled in here. Raises what `call` raises, and ErpRejected with Odoo's reason.
    """
    link, first = ErpLink.objects.get_or_create(shop=shop, external_id=external_id, defaults={"kind": kind})
    if link.remote_id is not None:
        return link, False
    name = external_name(session, external_id)
    if not first and (there := look_up(session, name)) is not None:
        return _acknowledged(link, there), False
    refusals: list[ErpError] = []
    for attempt in range(TRIES):
        named = [[f"{mapping.MODULE}.{name}", *rows[0]], *(["", *row] for row in rows[1:])]
        try:
            # Where its first try failed at the very end, Odoo tells that record's id too: the last one is there.
            return _acknowledged(link, load(session, model, columns, named, context=context)[-1]), True
        except (ErpConflict, ErpRejected) as error:
            # Somebody may have won the race for the name; Odoo's words for that vary, so the name itself is asked.
            refusals.append(error)
        if (there := look_up(session, name)) is not None:
            return _acknowledged(link, there), False
        if isinstance(refusals[-1], ErpRejected):
            break
        time.sleep(PAUSE_S * 2**attempt)
    raise refusals[-1]


def load(
    session: Session,
    model: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    context: Mapping[str, Any] | None = None,
) -> list[int]:
    """Make or change records by external id (column "id") or by Odoo's own (".id"), all in one transaction.

    Returns their ids. Raises ErpConflict for a lost race and ErpRejected with Odoo's reason for anything else.
    """
    said = session.rpc.call(
        model,
        "load",
        writes=True,
        fields=list(columns),
        data=[list(row) for row in rows],
        context={**session.context, **LOADING, **(context or {})},
    )
    if not isinstance(said, dict) or "ids" not in said:
        raise ErpProtocol(f"Odoo answers the loading of {model} with something that is no answer to it.")
    if said["ids"]:
        return [int(each) for each in said["ids"]]
    reasons = " ".join(str(message.get("message", "")) for message in said.get("messages", ()))
    if "could not serialize" in reasons or "Another model is using" in reasons or "already exists" in reasons:
        raise ErpConflict("Somebody else wrote the same record in Odoo at this moment: try again.")
    raise ErpRejected(
        f"Odoo refuses: {' '.join(reasons.split())[:400] or 'it does not say why'}", fields={"model": model}
    )


def look_up(session: Session, name: str) -> int | None:
    """Odoo's id of the record of that external name; None where there is none."""
    try:
        found = session.rpc.call("ir.model.data", "check_object_reference", module=mapping.MODULE, xml_id=name)
    except (ErpProtocol, ErpConflict) as error:
        if error.fields.get("odoo", "").endswith(("ValueError", "MissingError")):
            return None
        raise
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[1], int):
        raise ErpProtocol("Odoo answers a look-up with something that is no record.")
    return found[1] or None


def external_name(session: Session, external_id: str) -> str:
    """The name of one of ours in Odoo: another installation's shop may be called the same and count from one too."""
    return mapping.external_name(session.rpc.scope, external_id)


def name_of(session: Session, external_id: str) -> str:
    """What a column "…/id" takes for one of ours."""
    return f"{mapping.MODULE}.{external_name(session, external_id)}"


def _acknowledged(link: ErpLink, remote_id: int) -> ErpLink:
    """Remember at once: a later rollback of anything else must not forget it."""
    ErpLink.objects.filter(pk=link.pk).update(remote_id=remote_id)
    link.remote_id = remote_id
    return link
