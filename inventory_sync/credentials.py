"""Keys of ERPs, encrypted at rest: what is in the database opens nothing without this installation's own key."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from inventory_sync.errors import ErpRejected
from inventory_sync.models import ErpConnection


def keep_secret(connection: ErpConnection, secret: str) -> None:
    """Put a key, encrypted, on the connection; the caller saves it."""
    connection.secret = _box().encrypt(secret.encode()).decode("ascii")


def secret_of(connection: ErpConnection) -> str:
    """Return the key in clear. Raises ErpRejected where there is none, or it was kept by another installation."""
    if not connection.secret:
        raise ErpRejected(f"{connection.shop} has no key for its ERP yet: enter one.", fields={"field": "key"})
    try:
        return _box().decrypt(connection.secret.encode()).decode()
    except InvalidToken:
        raise ErpRejected(
            f"The ERP key of {connection.shop} was kept under another SECRET_KEY and can't be read: enter it again.",
            fields={"field": "key"},
        ) from None


def _box() -> Fernet:
    """The box of this installation. A digest makes 32 bytes of a key of any length; it is random already."""
    digest = hashlib.sha256(b"weftline erp credentials\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
