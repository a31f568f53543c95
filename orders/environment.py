"""Typed readers of the environment: a setting that can't be read stops the start and is named."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlparse

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """Read NAME, or the contents of the file that NAME_FILE points to, so that secrets can come from files.

    Raises ImproperlyConfigured when neither is set and there is no default, or when the file can't be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path!r}, which can't be read: {error.strerror}.") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} must be set (or {name}_FILE must name a file that holds it).")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Read NAME as yes or no. Raises ImproperlyConfigured on anything else."""
    value = text(name, "yes" if default else "no").lower()
    if value in {"1", "yes", "true", "on"}:
        return True
    if value in {"0", "no", "false", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write yes or no.")


def whole(name: str, *, default: int, at_least: int, at_most: int) -> int:
    """Read NAME as a whole number within bounds. Raises ImproperlyConfigured outside them."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None
    if not at_least <= number <= at_most:
        raise ImproperlyConfigured(f"{name} is {number}; it must lie between {at_least} and {at_most}.")
    return number


def words(name: str, *, default: str = "") -> list[str]:
    """Read NAME as a list of words separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def folders(name: str) -> dict[str, Path]:
    """Read NAME as folders by name, written one=/path/to/one,two=/path/to/two.

    Raises ImproperlyConfigured on anything else, on a name twice and on a folder that isn't there.
    """
    found: dict[str, Path] = {}
    for entry in words(name):
        key, _, path = (part.strip() for part in entry.partition("="))
        if not key.isidentifier() or not path or key in found:
            raise ImproperlyConfigured(f"{name} has {entry!r}; write each folder once as NAME=/PATH.")
        if not Path(path).is_dir():
            raise ImproperlyConfigured(f"{name} names {path!r} for {key!r}, and there is no such folder.")
        found[key] = Path(path).resolve()
    return found


def file(name: str) -> Path | None:
    """Read NAME as a file, or None where it is not set. Raises ImproperlyConfigured when there is no such file."""
    path = text(name, "")
    if not path:
        return None
    if not Path(path).is_file():
        raise ImproperlyConfigured(f"{name} names {path!r}, and there is no such file.")
    return Path(path).resolve()


def address(name: str, *, default: str) -> str:
    """Read NAME as the address of a server, without a slash at its end. Raises ImproperlyConfigured otherwise."""
    value = text(name, default).rstrip("/")
    parts = urlparse(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} is {value!r}; write an address such as https://orders.mill.example.")
    return value


def database(url: str) -> dict[str, object]:
    """Turn sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME into Django's settings for it.

    SQLite: write transactions take the lock when they begin (IMMEDIATE) and readers never block (WAL); with Django's
    own defaults 60 of 400 results were lost under two workers. The file is read where the system has it in memory
    (mmap), not copied page by page. Raises ImproperlyConfigured on any other kind of URL.
    """
    parts = urlparse(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]),
            # A file in tests too: the heartbeat writes from a second connection, which could not see one in memory.
            "TEST": {"NAME": f"{unquote(parts.path[1:])}.test"},
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=2147418112;",
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        # A unix socket is written postgresql://USER@/NAME?host=/folder, as libpq does.
        query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(query.get("host", parts.hostname or "")),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"options": "-c lock_timeout=3000"},
        }
    raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme!r}; write sqlite:///PATH or postgresql://…")


def is_loopback(host: str) -> bool:
    """True for the names by which only this machine reaches itself."""
    return host in {"localhost", "127.0.0.1", "[::1]", "testserver"}


def refuse_unsafe(
    *, debug: bool, hosts: list[str], secret_is_own: bool, databases: Mapping[str, Mapping[str, object]]
) -> None:
    """Stop the start of a server that others can reach with settings meant for one machine.

    Raises ImproperlyConfigured naming the setting and what to write.
    """
    public = [host for host in hosts if not is_loopback(host)]
    if not public:
        return
    where = f"ALLOWED_HOSTS opens this server to {', '.join(public)}"
    if debug:
        raise ImproperlyConfigured(f"{where}, but DEBUG is on: set DEBUG=no.")
    if not secret_is_own:
        raise ImproperlyConfigured(f"{where}, but there is no SECRET_KEY: set SECRET_KEY or SECRET_KEY_FILE.")
    if "sqlite3" in str(databases["default"]["ENGINE"]):
        raise ImproperlyConfigured(f"{where}, but the database is the embedded one: set DATABASE_URL=postgresql://….")
