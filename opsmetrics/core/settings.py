"""Settings of one process. The only module that reads the environment.

Does not belong here: anything about the organisation (``opsmetrics.organisation``).
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.instants import is_of_our_time
from opsmetrics.core.parts import import_path, parts_folder
from opsmetrics.core.web import checked, is_loopback

DUCKDB_ENGINE, SPARK_ENGINE = "duckdb", "spark"
DEMO_ORG = "demo-org-connected"
# Where Dagster keeps its state; its own variable.
DAGSTER_HOME = "DAGSTER_HOME"
# Folder of the SQL files in an installed wheel, which nobody edits.
BUNDLED_SQL = "_sql"
# Every default once: for the settings, for their documentation and for what the environment leaves unset.
_HOME, _ORG = ".opsmetrics", "examples/demo"
_RETRY_SECONDS, _PATIENCE_SECONDS, _BUSY_SECONDS = 2.0, 900.0, 900.0
_WEBHOOK_FORMAT = "slack"
_SPARK_MASTER = "local[*]"
_SESSION_MINUTES, _PROXIES = 480, "127.0.0.1"
_PREFIX = "OPSMETRICS_"
# A century: far beyond what anybody keeps, and within what a date can hold.
_MOST_DAYS = 36_525
VARIABLES: dict[str, str] = {
    "OPSMETRICS_HOME": f"where landing, the working file and snapshots live (default {_HOME})",
    "OPSMETRICS_ORG": f"folder of the organisation's configuration (default {_ORG}, connected by `demo`)",
    "OPSMETRICS_DATA": "folder that replaces `root` of sources.toml (default: what the file says)",
    "OPSMETRICS_NOW": "frozen clock as an ISO 8601 instant with offset, for replays and tests (default: real time)",
    "OPSMETRICS_CA_FILE": "certificate file (PEM) trusted beside the system's, for proxies and tests (default: none)",
    "OPSMETRICS_RETRY_SECONDS": (
        f"first wait between tries when a source names none; it doubles (default {_RETRY_SECONDS:g})"
    ),
    "OPSMETRICS_PATIENCE_SECONDS": (
        f"longest wait that a source may ask for before a pull gives up (default {_PATIENCE_SECONDS:g})"
    ),
    "OPSMETRICS_READ_APART": (
        "1: each source is read in a process of its own, which may fail alone; 0: in the process that pulls (default 1)"
    ),
    "OPSMETRICS_BUSY_SECONDS": (
        f"how long a build waits while another one works in the working file (default {_BUSY_SECONDS:g})"
    ),
    "OPSMETRICS_OIDC_METADATA_URL": "the identity provider's openid-configuration; with it the app asks to sign in",
    "OPSMETRICS_OIDC_CLIENT_ID": "id under which the identity provider knows the app",
    "OPSMETRICS_OIDC_CLIENT_SECRET": "the app's secret at the identity provider",
    "OPSMETRICS_COOKIE_SECRET": "random text of at least 32 characters that signs the app's cookies and download links",
    "OPSMETRICS_PUBLIC_URL": "address under which people open the app, such as https://ops.example.org",
    "OPSMETRICS_SESSION_MINUTES": (
        f"how long a sign-in lasts at most; less where the token says less (default {_SESSION_MINUTES})"
    ),
    "OPSMETRICS_PROXIES": (
        "addresses or networks of the proxies before the app, with commas; their X-Forwarded-For is believed (default "
        f"{_PROXIES} where people come by https, else none)"
    ),
    "OPSMETRICS_DAGSTER_PAGE": (
        "where the Dagster page listens, a socket's path or an address of this machine; the app then shows it to "
        "administrators at /dagster (default: it does not)"
    ),
    "OPSMETRICS_WEBHOOK_URL": "address that messages about failed runs and stale sources are posted to (default: none)",
    "OPSMETRICS_WEBHOOK_FORMAT": f"form of these messages: slack or teams (default {_WEBHOOK_FORMAT})",
    "OPSMETRICS_DAGSTER_URL": "address of the Dagster page, for links in messages (default: none)",
    "OPSMETRICS_BACKUP": "folder on another disk that backups are written to (default: none)",
    "OPSMETRICS_KEEP_REPLACED_DAYS": "days after which compaction forgets what later loads replaced (default: never)",
    "OPSMETRICS_ENGINE": (
        f"who makes the heavy daily tables: duckdb in this process, or spark (default {DUCKDB_ENGINE})"
    ),
    "OPSMETRICS_SPARK_MASTER": (
        f"Spark's master: spark://host:7077, yarn, k8s://..., local[*] (default {_SPARK_MASTER})"
    ),
    "OPSMETRICS_SQL": "folder of the SQL files (default: the ones that came with the package)",
}
# Attribute of ``SignIn`` -> its variable.
_SIGN_IN = {
    "metadata_url": "OPSMETRICS_OIDC_METADATA_URL",
    "client_id": "OPSMETRICS_OIDC_CLIENT_ID",
    "client_secret": "OPSMETRICS_OIDC_CLIENT_SECRET",
    "cookie_secret": "OPSMETRICS_COOKIE_SECRET",
    "public_url": "OPSMETRICS_PUBLIC_URL",
}
SHORTEST_SECRET = 32
MOST_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, for one run.

    Attributes:
        home: State folder (landing, working file, snapshots).
        org: Folder of the organisation's configuration.
        data: Overrides the root folder of the files source, or None.
        now: Frozen clock (UTC), or None for real time.
        sql: Folder of the SQL files.
        ca_file: Certificates trusted beside the system's, or None.
        retry_seconds: First wait between tries when a source names none.
        patience_seconds: Longest wait that a source may ask for.
        reads_apart: Whether each source is read in a process of its own, within its bounds of memory.
        busy_seconds: How long a build waits while another one works in the working file.
        webhook_url: Where messages are posted; a secret, and so not in the settings' repr.
        webhook_format: ``slack`` or ``teams``.
        public_url: Address of the app, for links, or None.
        dagster_url: Address of the Dagster page, for links, or None.
        backup: Folder of the backups, or None.
        keep_replaced: How long loads that later ones replaced are kept, or None to keep them all.
        engine: ``duckdb`` or ``spark``: who makes the heavy daily tables.
        spark_master: Where Spark runs.
    """

    home: Path
    org: Path
    data: Path | None
    now: datetime | None
    sql: Path
    ca_file: Path | None = None
    retry_seconds: float = _RETRY_SECONDS
    patience_seconds: float = _PATIENCE_SECONDS
    reads_apart: bool = False
    busy_seconds: float = _BUSY_SECONDS
    webhook_url: str | None = field(default=None, repr=False)
    webhook_format: str = _WEBHOOK_FORMAT
    public_url: str | None = None
    dagster_url: str | None = None
    backup: Path | None = None
    keep_replaced: timedelta | None = None
    engine: str = DUCKDB_ENGINE
    spark_master: str = _SPARK_MASTER

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from ``environ`` (default: the process's).

        Raises:
            ConfigurationError: A value is not of its kind: an instant without offset, a number that is none.
        """
        env = os.environ if environ is None else environ
        data = env.get("OPSMETRICS_DATA")
        now = env.get("OPSMETRICS_NOW")
        home = _openable(Path(env.get("OPSMETRICS_HOME") or _HOME))
        return cls(
            home=home,
            org=Path(env.get("OPSMETRICS_ORG") or _default_org(home)),
            data=Path(data) if data else None,
            now=parse_instant(now, "OPSMETRICS_NOW") if now else None,
            sql=Path(env.get("OPSMETRICS_SQL") or default_sql_root()),
            ca_file=trusted_file(env),
            retry_seconds=_seconds(env, "OPSMETRICS_RETRY_SECONDS", _RETRY_SECONDS),
            patience_seconds=_seconds(env, "OPSMETRICS_PATIENCE_SECONDS", _PATIENCE_SECONDS),
            reads_apart=_switch(env, "OPSMETRICS_READ_APART"),
            busy_seconds=_seconds(env, "OPSMETRICS_BUSY_SECONDS", _BUSY_SECONDS),
            webhook_url=env.get("OPSMETRICS_WEBHOOK_URL") or None,
            webhook_format=env.get("OPSMETRICS_WEBHOOK_FORMAT") or _WEBHOOK_FORMAT,
            public_url=(env.get("OPSMETRICS_PUBLIC_URL") or "").rstrip("/") or None,
            dagster_url=(env.get("OPSMETRICS_DAGSTER_URL") or "").rstrip("/") or None,
            backup=Path(env["OPSMETRICS_BACKUP"]) if env.get("OPSMETRICS_BACKUP") else None,
            keep_replaced=_days(env, "OPSMETRICS_KEEP_REPLACED_DAYS"),
            engine=env.get("OPSMETRICS_ENGINE") or DUCKDB_ENGINE,
            spark_master=env.get("OPSMETRICS_SPARK_MASTER") or _SPARK_MASTER,
        )

    @property
    def landing(self) -> Path:
        """Folder of the immutable loads."""
        return self.home / "landing"

    @property
    def warehouse(self) -> Path:
        """The disposable working DuckDB file."""
        return self.home / "working.duckdb"

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots and their pointer."""
        return self.home / "snapshots"

    def clock(self, frozen: datetime | None = None) -> datetime:
        """Return the instant that this run calls now, UTC.

        Args:
            frozen: The organisation's own frozen clock, used when the environment freezes none.
        """
        return (self.now or frozen or datetime.now(tz=UTC)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people sign in to the app (OpenID Connect).

    Attributes:
        metadata_url: The provider's openid-configuration.
        client_id: Id of the app at the provider.
        client_secret: Secret of the app at the provider.
        cookie_secret: Signs cookies and download links.
        public_url: Address of the app as people open it.
    """

    metadata_url: str
    client_id: str
    client_secret: str
    cookie_secret: str
    public_url: str
    session_minutes: int = _SESSION_MINUTES

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> SignIn | None:
        """Read the settings of sign-in; None where none is set.

        Raises:
            ConfigurationError: Some of them are set and others are not, the cookie secret is short, or an address is
                plain http beyond this machine.
        """
        env = os.environ if environ is None else environ
        found = {attribute: env.get(variable, "") for attribute, variable in _SIGN_IN.items()}
        if not any(found.values()):
            return None
        problems = [
            Problem("environment", None, f"{name} is not set, but sign-in is wanted", f"set it: {VARIABLES[name]}")
            for attribute, name in _SIGN_IN.items()
            if not found[attribute]
        ]
        if 0 < len(found["cookie_secret"]) < SHORTEST_SECRET:
            problems.append(
                Problem("environment", None, "OPSMETRICS_COOKIE_SECRET is short", "use 32 random characters or more")
            )
        problems += [
            Problem("environment", None, f"{_SIGN_IN[name]} is neither https nor on this machine", "use https://...")
            for name in ("metadata_url", "public_url")
            if found[name] and not is_confidential(found[name])
        ]
        minutes = env.get("OPSMETRICS_SESSION_MINUTES") or str(_SESSION_MINUTES)
        if not minutes.isascii() or not minutes.isdigit() or not 1 <= int(minutes) <= MOST_MINUTES:
            problems.append(
                Problem("OPSMETRICS_SESSION_MINUTES", None, f"{minutes!r} is not 1 to {MOST_MINUTES}", "write 480")
            )
        if problems:
            raise ConfigurationError(problems)
        return cls(**found, session_minutes=int(minutes))


@dataclass(frozen=True, slots=True)
class Door:
    """How the app is reached.

    Attributes:
        public_url: Address of the app as people open it, or None.
        proxies: Addresses whose word is taken for whom they stand for.
        dagster_page: Where the Dagster page listens, or None where the app does not show it.
    """

    public_url: str | None
    proxies: tuple[str, ...]
    dagster_page: str | None

    @property
    def is_https(self) -> bool:
        """Whether people come by https."""
        return bool(self.public_url) and urlsplit(str(self.public_url)).scheme == "https"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Door:
        """Read how the app is reached.

        Raises:
            ConfigurationError: A proxy is neither an address nor a network.
        """
        env = os.environ if environ is None else environ
        url = (env.get("OPSMETRICS_PUBLIC_URL") or "").rstrip("/") or None
        usual = _PROXIES if url and urlsplit(url).scheme == "https" else ""
        proxies = env.get("OPSMETRICS_PROXIES") or usual
        named = tuple(name.strip() for name in proxies.split(",") if name.strip())
        problems = [
            Problem("OPSMETRICS_PROXIES", None, f"{name!r} is neither an address nor a network", "write 10.0.0.0/24")
            for name in named
            if not _is_network(name)
        ]
        if problems:
            # A name would be believed of nobody, and * of everybody, who may then stand for whom they like.
            raise ConfigurationError(problems)
        return cls(url, named, env.get("OPSMETRICS_DAGSTER_PAGE") or None)


def _is_network(name: str) -> bool:
    """Whether this is an address, or a network that is not the whole world."""
    try:
        return ipaddress.ip_network(name).prefixlen > 0
    except ValueError:
        return False


def is_confidential(url: str) -> bool:
    """Whether what is sent to an address stays between the two: https, or plain http within this machine."""
    try:
        found = urlsplit(url)
        host = found.hostname
    except ValueError:
        return False
    return bool(host) and (found.scheme == "https" or (found.scheme == "http" and is_loopback(host)))


def _openable(home: Path) -> Path:
    """Refuse a folder in which DuckDB opens no file: what follows ``?`` is settings to it, a backslash a separator."""
    text = str(home.absolute())
    if "?" in text or "\\" in text or not text.isprintable():
        said = f"a database cannot be kept in {text!a}: its path holds ?, a backslash or a sign that cannot be printed"
        raise ConfigurationError([Problem("OPSMETRICS_HOME", None, said, "choose another folder")])
    return home


def _default_org(home: Path) -> Path:
    """Return the demo's configuration: the one with connected sources where `opsmetrics demo` made it."""
    connected, checkout = home / DEMO_ORG, Path(_ORG)
    return next((folder for folder in (connected, checkout) if folder.is_dir()), demo_org())


def names_organisation(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the environment says whose configuration is meant."""
    return bool((os.environ if environ is None else environ).get("OPSMETRICS_ORG"))


def demo_org() -> Path:
    """Return the demo's configuration as it comes with the code."""
    return parts_folder() / _ORG


def secret(variable: str | None, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the secret in an environment variable that sources.toml names, or None where there is none."""
    env = os.environ if environ is None else environ
    return (env.get(variable) or None) if variable else None


def trusted_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the certificates trusted beside the system's, or None."""
    named = secret("OPSMETRICS_CA_FILE", environ)
    return Path(named) if named else None


@contextmanager
def environment(values: Mapping[str, str]) -> Generator[None]:
    """Set variables for as long as the block lasts: the demo's identity and addresses."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def program_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a program of ours in another folder: paths hold there, and our parts are found."""
    return os.environ | {
        "OPSMETRICS_HOME": str(settings.home.resolve()),
        "OPSMETRICS_ORG": str(settings.org.resolve()),
        **({"OPSMETRICS_CA_FILE": str(settings.ca_file.resolve())} if settings.ca_file else {}),
        "PYTHONPATH": import_path(os.environ.get("PYTHONPATH")),
    }


def whole_environment() -> dict[str, str]:
    """Return every variable, for a process that goes on with what this one does."""
    return dict(os.environ)


def replace_environment(values: Mapping[str, str]) -> None:
    """Let this process have these variables and no others: it was made before somebody set them."""
    os.environ.clear()
    os.environ.update(values)


def inherited(*, without: str, but: str) -> dict[str, str]:
    """Return the environment for a program that is started: without names that begin so, but for one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without) or name == but}


def expand(url: str, environ: Mapping[str, str] | None = None) -> str:
    """Return an address whose beginning may be a variable: ``$GRAFANA/api`` with GRAFANA=https://...

    Raises:
        ConfigurationError: The variable is not set, or with it this is no address that a secret may be sent to.
    """
    if not url.startswith("$"):
        return url
    name, _, rest = url[1:].partition("/")
    value = secret(name, environ)
    if value is None:
        text = f"an address begins with {name}, which is not set"
        raise ConfigurationError([Problem("sources.toml", None, text, f"set {name}=https://...")])
    try:
        return checked(f"{value.rstrip('/')}/{rest}")
    except ValueError as error:
        text = f"an address begins with {name}: {error}"
        raise ConfigurationError([Problem("sources.toml", None, text, f"correct {name}")]) from None


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name) or "1"
    if text not in {"0", "1"}:
        raise ConfigurationError([Problem(name, None, f"{text!r} is neither 1 nor 0", "write 1 for yes, 0 for no")])
    return text == "1"


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ConfigurationError([Problem(name, None, f"{text!r} is not a number of seconds", f"write {default:g}")])
    return found


def _days(env: Mapping[str, str], name: str) -> timedelta | None:
    text = env.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MOST_DAYS)) or int(text) > _MOST_DAYS:
        raise ConfigurationError([Problem(name, None, f"{text!r} is not a number of days", "write 400")])
    return timedelta(days=int(text))


def mistyped(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return variables that look like one of ours and are none -> the one that is meant.

    Others that begin alike are secrets that sources.toml names, or somebody else's.
    """
    env = os.environ if environ is None else environ
    ours = [name for name in env if name.startswith(_PREFIX) and name not in VARIABLES]
    near = {name: difflib.get_close_matches(name, VARIABLES, n=1, cutoff=0.9) for name in sorted(ours)}
    return {name: found[0] for name, found in near.items() if found}


def parse_instant(text: str, named: str) -> datetime:
    """Parse an ISO 8601 instant; an instant without offset is refused, never guessed.

    Args:
        text: The instant.
        named: Option or variable that it was given in, for the error.

    Raises:
        ConfigurationError: The text is not an instant, has no offset, or lies before 1990 or after 2099.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    fix = "write 2026-11-23T06:00:00Z"
    if instant is None or instant.tzinfo is None:
        raise ConfigurationError([Problem(named, None, f"{text!r} is not an instant with an offset", fix)])
    if not is_of_our_time(instant):
        raise ConfigurationError([Problem(named, None, f"{text!r} lies before 1990 or after 2099", fix)])
    return instant.astimezone(UTC)


def cache_folder() -> Path | None:
    """Return where the user keeps what can be made again at any time; None for a user without a home."""
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(folder) / "opsmetrics"


def default_sql_root() -> Path:
    """Return the SQL folder of a source checkout, or the copy inside an installed wheel."""
    here = Path(__file__).resolve().parents[1]
    checkout = here.parent / "sql"
    return checkout if (checkout / "metrics" / "areas.toml").exists() else here / BUNDLED_SQL
