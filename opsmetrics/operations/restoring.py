"""Bring a backup back: all of it that is whole, the configuration first, and one line for each file that is not.

A restore that is cut off leaves its marker, which every command knows; run again it goes on where it stopped.
Does not belong here: writing backups (``operations.backup``) and proving them (``operations.restore_tests``).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from opsmetrics.core.atomic import (
    OtherContentError,
    copy_whole,
    digest_of,
    make_folder,
    read_bounded,
    sweep_drafts,
    write_whole_bytes,
)
from opsmetrics.core.errors import NoFileError, UnreadableError, VanishedError
from opsmetrics.core.half_restored import UnderWay, begin, end, under_way
from opsmetrics.landing.backup_copies import LANDING
from opsmetrics.landing.loads import DAMAGED
from opsmetrics.operations.manifests import BackupError, Manifest, damaged_manifests, read_manifest

ORGANISATION = "organisation"
PULLS = "pulls"
LOCK = "restore.lock"
# So much of a damaged load is kept; a larger one keeps its name.
MOST_LEFT = 256 << 20
_ORDER = (ORGANISATION, PULLS, LANDING)
_ELSEWHERE = "in the backup it is a link that leads elsewhere"


@dataclass(slots=True)
class Restored:
    """What a restore brought back.

    Attributes:
        name: Name of the backup.
        files: Files that are there now.
        size: Their bytes.
        missing: One line for each file that the backup does not hold whole, and for what else is not as it was.
        unread: One line for each file that the system did not let us read: the restore has not ended.
    """

    name: str
    files: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list[str])
    unread: list[str] = field(default_factory=list[str])

    @property
    def is_whole(self) -> bool:
        """Whether all of the backup is back."""
        return not self.missing and not self.unread


def restore(source: Path, home: Path, org: Path, at: str | None = None) -> Restored:
    """Bring a backup back into folders that hold nothing yet, or go on with a restore that was cut off there.

    Args:
        source: Folder of the backups.
        home: State folder.
        org: Folder of the configuration.
        at: Name of the backup; default: the one that was begun here, else the newest whole one.

    Raises:
        BackupError: Something else lies there already, another restore is at work there, there is no whole manifest, it
            leads elsewhere, or a folder lies in the backup or is one for both.
        OSError: The disk that is restored to refuses; what is back stays, and the marker with it.
    """
    source, home, org = source.resolve(), home.resolve(), org.resolve()
    for folder in (home, org):
        if folder.is_relative_to(source):
            raise BackupError(
                f"{folder}: this lies in the backup, which would take it for damaged copies; restore elsewhere"
            )
    if any(org.is_relative_to(home / at) for at in (LANDING, PULLS)) or home == org:
        raise BackupError(f"{org}: configuration and state are not kept in one folder; name another --org")
    begun = under_way(home)
    manifest = read_manifest(source, at or (begun.name if begun and begun.name != "?" else None))
    _refuse_elsewhere(manifest, home, org)
    make_folder(home)
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(home / LOCK, timeout=0))
        except Timeout as error:
            raise BackupError(f"{home}: another restore is at work here; wait for it, or stop it") from error
        _refuse_other_content(manifest, home, org, begun)
        now = datetime.now(tz=UTC).isoformat(timespec="seconds")
        begin(home, begun or UnderWay(manifest.name, str(source), str(home), str(org), now))
        done = _bring_all(source, manifest, home, org, is_again=begun is not None)
        if at is None and begun is None:
            newer = [name for name in damaged_manifests(source) if name > manifest.name]
            done.missing[:0] = [f"backup {name}: its manifest is damaged; {manifest.name} was taken" for name in newer]
        if not done.unread:
            end(home)
    return done


def _bring_all(source: Path, manifest: Manifest, home: Path, org: Path, *, is_again: bool) -> Restored:
    done = Restored(manifest.name)
    swept = set[Path]()
    for to in sorted(manifest.files, key=lambda to: (_ORDER.index(to.partition("/")[0]), to)):
        target = _target(to, home, org)
        if target.parent not in swept:
            sweep_drafts(target.parent)
            swept.add(target.parent)
        inside, checksum = manifest.files[to]
        try:
            problem = _bring(source, inside, target, checksum, is_load=to.startswith(f"{LANDING}/"))
        except UnreadableError as error:
            said = f"{to}: {str(error).partition(chr(10))[0]}"
            # What the disk of the backup cannot read the second time either is lost; anything else can be repaired.
            (done.missing if is_again and error.is_of_the_disk else done.unread).append(said)
            continue
        if problem:
            done.missing.append(f"{to}: {problem}")
        else:
            done.files, done.size = done.files + 1, done.size + target.stat().st_size
    done.missing += [f"{to}: it was damaged when the backup was taken, and is not in it" for to in manifest.left_out]
    return done


def _bring(source: Path, inside: str, target: Path, checksum: str, *, is_load: bool) -> str | None:
    """Bring one file back; return what is wrong, if anything.

    Raises:
        UnreadableError: The system does not let us read the copy.
    """
    copy = source / inside
    if target.exists():
        if digest_of(target).startswith(checksum):
            return None
        if not is_load:
            return "something else lies there already; it was left alone"
    problem, content = _copied(copy, target, checksum) if _is_within(copy, source) else (_ELSEWHERE, b"")
    if problem is None or not is_load:
        return problem
    aside = _aside(target)
    if not aside.exists():
        # Under its name it is known as damaged: health names it, and its number is not given to another load.
        write_whole_bytes(aside, content, durable=True)
    return f"{problem}; {DAMAGED}/ of its stream keeps its name and what is left of it"


def _copied(copy: Path, target: Path, checksum: str) -> tuple[str | None, bytes]:
    """Copy what is whole; else return what is wrong, and what is left of the file."""
    try:
        copy_whole(copy, target, expected=checksum)
    except VanishedError:
        return "it is missing in the backup", b""
    except NoFileError:
        return "it is not a file in the backup", b""
    except OtherContentError:
        return "it is damaged in the backup", read_bounded(copy, MOST_LEFT) or b""
    return None, b""


def _aside(target: Path) -> Path:
    """Where a load or a pack of landing lies that was set aside."""
    stream = target.parent if target.parent.parent.name == LANDING else target.parent.parent
    return stream / DAMAGED / target.name


def _target(to: str, home: Path, org: Path) -> Path:
    at, _, rest = to.partition("/")
    return org / rest if at == ORGANISATION else home / to


def _is_within(path: Path, root: Path) -> bool:
    """Whether a path leads to a place below ``root``, whatever links lie on its way."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except RuntimeError:
        # Links that lead round.
        return False


def _refuse_elsewhere(manifest: Manifest, home: Path, org: Path) -> None:
    """Raise unless each file is named within the backup and goes into one of the folders that we write."""
    for to, (inside, _) in manifest.files.items():
        at = to.partition("/")[0]
        root = org if at == ORGANISATION else home / at
        is_ours = at in _ORDER and _is_within(_target(to, home, org), root)
        is_named_within = ".." not in inside.split("/") and not inside.startswith("/")
        if not is_ours or not is_named_within:
            raise BackupError(f"{manifest.name}: {to} leads out of the folder; this manifest was not written by us")


def _refuse_other_content(manifest: Manifest, home: Path, org: Path, begun: UnderWay | None) -> None:
    """Raise unless the folders are empty, or hold a part of this very restore."""
    if begun is None:
        for folder, at in ((home / LANDING, home), (home / PULLS, home), (org, org)):
            if folder.exists() and any(folder.iterdir()):
                raise BackupError(
                    f"{folder}: this is not empty; restore to a new place, or move it away from {at} first"
                )
    elif begun.name not in {manifest.name, "?"}:
        raise BackupError(
            f"{home}: backup {begun.name} was begun here; finish it without --at, or restore to a new place"
        )
    elif begun.org != str(org) and begun.name != "?" and org.exists() and any(org.iterdir()):
        raise BackupError(f"{org}: this is not empty, and the restore was begun with --org {begun.org}")
