"""Back up what cannot be made again, and heal what an earlier backup holds no longer whole.

What cannot be made again is landing, the organisation's configuration and the notes of pulls; the working file and the
snapshots are built from them. A backup adds what is new: loads never change, and the checksum in a load's name proves
a copy. A damaged original is never copied; a damaged copy is written again from a whole original. A manifest is
written last, so that a backup that was cut off is none.
Does not belong here: where the other disk comes from, and how long it keeps what (``docs/operations.md``).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from opsmetrics.core.atomic import OtherContentError, copy_whole, digest_of, make_folder, remove_durably, sweep_drafts
from opsmetrics.core.errors import DamagedLoadError, OpsMetricsError, SnapshotError, UnreadableError, VanishedError
from opsmetrics.core.half_restored import refuse_half_restored
from opsmetrics.core.instants import name_after
from opsmetrics.core.places import followed
from opsmetrics.core.settings import Settings
from opsmetrics.landing import SEPARATOR, damaged_paths, landed_files, place_of, streams_of, verify_file
from opsmetrics.landing.backup_copies import LANDING
from opsmetrics.operations import housekeeping_records
from opsmetrics.operations.copies import NOTE, TEXTS, Copies
from opsmetrics.operations.manifests import (
    MANIFESTS,
    SPARE,
    BackupError,
    Manifest,
    heal_manifests,
    names_of,
    read_manifest,
    write_manifest,
)
from opsmetrics.operations.restoring import ORGANISATION, PULLS
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots import store
from opsmetrics.sources.files import files_root

LOCK = "backup.lock"
# Folders that a configuration has.
CONFIGURATION_FOLDERS = frozenset({"registers", "sources", "metrics"})
# A compaction takes each file once, so that a second listing is nearly always the last.
_LISTINGS = 20


@dataclass(slots=True)
class BackedUp:
    """What a backup did.

    Attributes:
        manifest: What it holds.
        copied: Files that were new.
        healed: Copies and manifests that were damaged and are whole again.
        damaged: One line for each load that is damaged here, and each copy that could not be healed.
    """

    manifest: Manifest
    copied: int = 0
    healed: list[str] = field(default_factory=list[str])
    damaged: list[str] = field(default_factory=list[str])


def back_up(settings: Settings, target: Path, now: datetime) -> BackedUp:
    """Copy what is new to ``target``, read again what is there, and write damaged copies again.

    Args:
        settings: Whose state and configuration.
        target: Folder of the backups; made where it does not exist.
        now: Instant that names the backup.

    Raises:
        BackupError: The target lies inside the state folder or the configuration, a folder in it is a link, or another
            one writes there.
        HalfRestoredError: The state folder holds a part of a backup itself.
        OSError: The other disk refuses; no manifest is written then.
    """
    for folder in (settings.home, settings.org):
        if target.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{target}: this lies inside {folder}; back up to another disk")
    refuse_half_restored(settings.home)
    wait = settings.busy_seconds
    with (
        housekeeping_records.recorded(settings.home, housekeeping_records.BACKUP, wait) as record,
        _alone(target, wait),
    ):
        done = _Run(settings, target, now).all()
        record.said += done.damaged
        return done


@contextmanager
def _alone(target: Path, busy_seconds: float) -> Generator[None]:
    """Be the only one who writes to a folder of backups; what killed ones left half-written is removed."""
    make_folder(target)
    try:
        with FileLock(target / LOCK, timeout=busy_seconds):
            for folder in _folders(target):
                if folder.is_symlink():
                    raise BackupError(
                        f"{folder}: this is a link; a restore follows none\n    fix: let the folder of the backups be"
                        " the link, or mount the other disk there"
                    )
                sweep_drafts(folder, NOTE if folder == target.resolve() else "")
            yield
    except Timeout as error:
        raise BackupError(f"{target}: another backup is being written here; wait for it, or stop it") from error


def _folders(target: Path) -> Iterator[Path]:
    """Folders that are written to, each after the one that it lies in; ``target`` itself may be a link."""
    yield from (target.resolve(), target / MANIFESTS, target / MANIFESTS / SPARE, target / LANDING, target / TEXTS)
    for pattern in (f"{LANDING}/*", f"{LANDING}/*/packs", f"{TEXTS}/*"):
        yield from target.glob(pattern)


class _Run:
    """One backup."""

    def __init__(self, settings: Settings, target: Path, now: datetime) -> None:
        self._settings, self._target, self._now = settings, target, now
        self._copies = Copies(target, now)
        self._copied = 0
        self._healed: list[str] = []
        self._damaged: list[str] = []
        self._left_out: set[str] = set()
        self._looked: dict[Path, list[str] | None] = {}

    def all(self) -> BackedUp:
        """Copy, heal, check, and write the manifest last."""
        name = name_after(names_of(self._target), self._now)
        build_id, known_at = self._published()
        files = self._texts() | self._loads()
        self._copies.check_rest()
        self._healed += [f"{MANIFESTS}/{healed}.json" for healed in heal_manifests(self._target)]
        manifest = Manifest(
            name,
            self._now.astimezone(UTC).isoformat(),
            build_id,
            known_at,
            {to: files[to] for to in sorted(files)},
            tuple(sorted(self._left_out)),
        )
        self._copies.note()
        write_manifest(self._target, manifest)
        return BackedUp(manifest, self._copied, self._healed, self._damaged + self._lost())

    def _published(self) -> tuple[str, str] | tuple[None, None]:
        """Return build and clock of the current snapshot."""
        try:
            published = store.current(self._settings.snapshots)
            return published.build_id, _known_at(published)
        except (SnapshotError, duckdb.Error):
            # What cannot be made again does not wait for what can.
            return None, None

    def _lost(self) -> list[str]:
        """Name damaged copies that could not be healed; those that no backup needs any more are removed."""
        if not self._copies.damaged:
            return []
        needed: dict[str, list[str]] = {}
        for name in names_of(self._target):
            with suppress(BackupError):
                for inside, _ in read_manifest(self._target, name).files.values():
                    needed.setdefault(inside, []).append(name)
        for inside in self._copies.damaged:
            if inside not in needed:
                remove_durably(self._target / inside)
        return [
            f"{self._target / inside}: this copy is damaged, and what it was made from is no longer here; backups"
            f" {needed[inside][0]} to {needed[inside][-1]} need it, and come back without it"
            for inside in self._copies.damaged
            if inside in needed
        ]

    # --- loads

    def _loads(self) -> dict[str, list[str]]:
        """Copy the loads that the backup lacks; return place -> (place in the backup, checksum).

        Pulls add loads meanwhile and compactions pack them: the list is made again until it stays the same.
        """
        listed = self._listed()
        for _ in range(_LISTINGS):
            for path in listed:
                if path not in self._looked:
                    self._looked[path] = self._load(path)
            again = self._listed()
            # What pulls add meanwhile is for the next backup; what a compaction removed is in a pack now.
            if set(listed) <= set(again):
                break
            listed = again
        else:
            raise BackupError(f"{self._settings.landing}: its files change all the time; back up again later")
        found = {self._inside(path): held for path in listed if (held := self._looked[path])}
        return found | self._set_aside()

    def _listed(self) -> list[Path]:
        landing = self._settings.landing
        return [path for stream in streams_of(landing) for path in landed_files(landing, stream)]

    def _inside(self, path: Path) -> str:
        return f"{LANDING}/{path.relative_to(self._settings.landing).as_posix()}"

    def _load(self, path: Path) -> list[str] | None:
        """See to it that the backup holds a load whole; return where, or None where that cannot be."""
        inside = self._inside(path)
        try:
            is_there, is_one = self._copies.has(inside, path.stat().st_size), _is_one(path, self._target / inside)
            if is_there and not is_one and inside not in self._copies.due:
                return [inside, _checksum(path)]
            is_right, was_there = self._is_right(path), (self._target / inside).exists()
            is_kept = was_there and not is_one and self._copies.is_whole(inside)
            if is_right and not is_kept:
                copy_whole(path, self._target / inside, expected=_checksum(path))
                if not self._copies.is_whole(inside):
                    raise BackupError(f"{self._target / inside}: the disk does not hold what was written to it")
                if was_there:
                    self._healed.append(inside)
                else:
                    self._copied += 1
        except (VanishedError, FileNotFoundError):
            # It was packed since it was listed.
            return None
        if is_right or is_kept:
            return [inside, _checksum(self._target / inside)]
        self._left_out.add(inside)
        return None

    def _is_right(self, path: Path) -> bool:
        """Whether an original is whole; where it is not, it is named."""
        try:
            verify_file(path)
        except VanishedError:
            raise
        except (DamagedLoadError, UnreadableError) as error:
            self._damaged.append(str(error).partition("\n")[0])
            return False
        return True

    def _set_aside(self) -> dict[str, list[str]]:
        """Loads that are damaged here and whole in the backup still belong to what can be restored."""
        found: dict[str, list[str]] = {}
        for stream in streams_of(self._settings.landing):
            for path in map(place_of, damaged_paths(self._settings.landing, stream)):
                inside = self._inside(path)
                if not path.exists() and (self._target / inside).exists() and self._copies.is_whole(inside):
                    found[inside] = [inside, _checksum(self._target / inside)]
        return found

    # --- texts

    def _texts(self) -> dict[str, list[str]]:
        """Copy configuration and notes of pulls, by content: the same text is stored once."""
        files: dict[str, list[str]] = {}
        org, pulls = self._settings.org, self._settings.home / PULLS
        # Neither is a state folder that lies in the configuration, and what lies around it leaves nothing of it.
        others = [*_exports(org), self._settings.home.resolve()]
        others = [folder for folder in others if not org.resolve().is_relative_to(folder)]
        for root, at, leave_out in ((org, ORGANISATION, others), (pulls, PULLS, [])):
            for path in _below(root, leave_out):
                try:
                    digest, inside = self._text(path)
                except VanishedError:
                    # A note that was written again, or an editor's file: not part of this backup.
                    continue
                files[f"{at}/{path.relative_to(root).as_posix()}"] = [inside, digest]
        return files

    def _text(self, path: Path) -> tuple[str, str]:
        """Store a text under its digest; one that is written meanwhile is read again."""
        while True:
            digest = digest_of(path)
            inside = f"{TEXTS}/{digest[:2]}/{digest}"
            was_there, is_one = (self._target / inside).exists(), _is_one(path, self._target / inside)
            if was_there and not is_one and (inside not in self._copies.due or self._copies.is_whole(inside)):
                return digest, inside
            try:
                copy_whole(path, self._target / inside, expected=digest)
            except OtherContentError:
                continue
            if was_there:
                self._healed.append(inside)
            else:
                self._copied += 1
            self._copies.is_whole(inside)
            return digest, inside


def _is_one(path: Path, copy: Path) -> bool:
    """Whether a copy is the original under another name (``cp -l``): what damages one damages both."""
    try:
        return path.samefile(copy)
    except OSError:
        return False


def _checksum(path: Path) -> str:
    """The checksum in the name of a load; of the first version's, the digest of the file."""
    return path.stem.partition(SEPARATOR)[2] or digest_of(path)


def _known_at(published: store.Snapshot) -> str:
    with duckdb.connect(str(published.path), read_only=True) as con:
        ((known_at,),) = con.execute("select known_at from meta.known").fetchall()
    return known_at.astimezone(UTC).isoformat()


def _exports(org: Path) -> list[Path]:
    """The folder of exported files: a source, not configuration; landing holds its rows."""
    try:
        return [files_root(load_organisation(org), None)]
    except OpsMetricsError:
        # A configuration with a mistake in it is backed up whole.
        return []


def _below(root: Path, leave_out: Collection[Path], within: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Files below a folder, without what tools leave there (hidden files, temporary ones).

    A configuration that is mounted or shared consists of links: what whoever reads it finds there belongs to it, not
    the links. Linked folders are followed where it has folders; another one may lead to all there is.

    Raises:
        UnreadableError: The system does not let us list a folder.
    """
    here = followed(root)
    if here in within or any(here.is_relative_to(other) for other in leave_out):
        return
    for path in _listed_in(root):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if not path.is_symlink() or path.name in CONFIGURATION_FOLDERS:
                yield from _below(path, leave_out, (*within, here))
        elif path.is_file() and not any(followed(path).is_relative_to(other) for other in leave_out):
            yield path


def _listed_in(folder: Path) -> list[Path]:
    """What lies in a folder, by name; of one that is not there, nothing."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        # Without rights it is not empty.
        raise UnreadableError(folder, error.strerror or type(error).__name__) from error
