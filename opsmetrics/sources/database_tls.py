"""Which databases are asked in clear: those of this machine. Beyond it the server proves who it is, before a password.

Drivers fall back to plain text where a server says that it knows no TLS, and take every certificate: whoever
answers in its place gets the password. Does not belong here: what is asked (``database_tables``).
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import secret, trusted_file
from opsmetrics.core.web import is_loopback
from opsmetrics.organisation.queries import QueryTable
from opsmetrics.sources.http import ssl_context

_PROVEN = "verify-full"
ADVICE = (
    "beyond this machine the server must answer by TLS with a certificate for its name; OPSMETRICS_CA_FILE names an"
    ' authority of your own, and tls = "unchecked" at the table lets rows and password go as the address says'
)


def is_here(hosts: Iterable[str]) -> bool:
    """Whether all of these hosts are this machine: loopback, a local socket (a path), or none at all."""
    return all(not host or host[0] in "/@" or is_loopback(host) for host in hosts)


@contextmanager
def postgres_options(source: QueryTable, told: dict[str, str]) -> Generator[dict[str, Any]]:
    """Yield what libpq is to be told beside an address.

    Args:
        source: Which table.
        told: The address, taken apart by libpq itself.

    Raises:
        SourceError: The address asks for less than a proven server beyond this machine, or no authorities are known.
    """
    # What an address leaves out libpq takes from its own variables; of a service only its file knows the host.
    named = [
        told.get(name) or secret(variable) or "" for name, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"))
    ]
    has_service = bool(told.get("service") or secret("PGSERVICE"))
    if source.tls == "unchecked" or (not has_service and is_here(",".join(named).split(","))):
        yield {}
        return
    if told.get("sslmode", _PROVEN) != _PROVEN:
        message = f"its address asks for sslmode={told['sslmode']} beyond this machine, which proves no server"
        raise SourceError(Problem(source.connection_env, None, message, f"take sslmode out; {ADVICE}"))
    # Encryption by Kerberos would stand in for TLS, and checks no certificate.
    proven = {"sslmode": _PROVEN, "gssencmode": "disable"}
    if "sslrootcert" in told:
        yield proven
        return
    with _authorities(source) as file:
        yield proven | {"sslrootcert": str(file)}


def mysql_options(source: QueryTable, host: str) -> dict[str, Any]:
    """Return what the driver is to be told beside a host: with a context it signs in by TLS, or not at all."""
    if source.tls == "unchecked" or is_here([host]):
        return {}
    return {"ssl": ssl_context(trusted_file())}


@contextmanager
def _authorities(source: QueryTable) -> Generator[Path]:
    """Yield one file of the system's certificates and ours: libpq takes no more than one.

    Raises:
        SourceError: There is none.
    """
    own, system = trusted_file(), ssl.get_default_verify_paths().cafile
    found = [path for path in (own, Path(system) if system else None) if path is not None]
    if not found:
        message = "the machine has no file of certificates that are trusted"
        raise SourceError(Problem(source.connection_env, None, message, "set OPSMETRICS_CA_FILE"))
    if len(found) == 1:
        yield found[0]
        return
    with tempfile.NamedTemporaryFile(prefix="opsmetrics-", suffix=".pem") as both:
        both.write(b"\n".join(path.read_bytes() for path in found))
        both.flush()
        yield Path(both.name)
