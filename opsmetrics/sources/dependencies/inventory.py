"""What a repository uses, commit by commit: each package and the versions that its manifests and lock files name."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opsmetrics.sources.dependencies.files import Format, format_of
from opsmetrics.sources.dependencies.model import ELSEWHERE, Contents, Need, Package, UnreadableError
from opsmetrics.sources.dependencies.npm import locked as locked_npm
from opsmetrics.sources.dependencies.xml import resolved
from opsmetrics.sources.versions import Place, place_of

# Stands for a use whose version no file tells.
UNTOLD = ""
# Files whose properties those beside and below them use; a project file's are its own.
_HANDS_DOWN = ("pom.xml", ".props", ".gradle", ".gradle.kts", "gradle.properties")
_EXACT = re.compile(r"\[?\s*(?P<version>\d[\w.+-]*)(?<!\+)\s*\]?")
Used = tuple[str, ...]


@dataclass(slots=True)
class Timeline:
    """The versions of each package that were in use, and since when.

    Attributes:
        uses: Package -> (seconds since 1970, versions in use from then on), oldest first; no versions: not in use.
        unread: Files that could not be read -> how often.
    """

    uses: dict[Package, list[tuple[int, Used]]] = field(default_factory=dict[Package, list[tuple[int, Used]]])
    unread: Counter[str] = field(default_factory=Counter[str])

    def note(self, at: int, package: Package, versions: Used) -> None:
        """Note what is in use from an instant on."""
        spans = self.uses.setdefault(package, [])
        if spans and spans[-1][0] == at:
            spans.pop()
        if (spans[-1][1] if spans else ()) != versions:
            spans.append((at, versions))

    def to_json(self) -> str:
        """Return it as text, for keeping."""
        uses = [[package.ecosystem, package.name, spans] for package, spans in self.uses.items()]
        return json.dumps([uses, self.unread])

    @classmethod
    def from_json(cls, text: str) -> Timeline:
        """Return what ``to_json`` wrote."""
        uses, unread = json.loads(text)
        spans = {Package(eco, name): [(at, tuple(used)) for at, used in rows] for eco, name, rows in uses}
        return cls(spans, Counter(unread))


def instant(seconds: int) -> datetime:
    """Return seconds since 1970 as UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


_NOTHING = Contents()


class Inventory:
    """The files of one commit; ``apply`` takes it to the next."""

    def __init__(self) -> None:
        self.unread: Counter[str] = Counter()
        self._files: dict[str, Contents] = {}
        self._uses: dict[str, tuple[tuple[Package, str], ...]] = {}
        self._counts: dict[Package, Counter[str]] = {}
        self._manifests: dict[str, set[str]] = defaultdict(set)
        self._locks_in: dict[tuple[str, str], set[str]] = {}
        self._made: Counter[Package] = Counter()
        self._holders: dict[tuple[str, str], set[str]] = defaultdict(set)

    def apply(self, changes: Iterable[tuple[str, str | None]]) -> dict[Package, Used]:
        """Put in the new texts of files, None for one that is gone, and return what is used now of what changed."""
        stale: set[str] = set()
        made = self._made.copy()
        for path, text in changes:
            found = format_of(path)
            if found is None:
                continue
            before = self._files.get(path, _NOTHING).properties
            self._put(path, found, text)
            hands_down = path.lower().endswith(_HANDS_DOWN) and before != self._files.get(path, _NOTHING).properties
            stale |= set(self._depending(path, found)) if found.is_lock or hands_down else set()
            stale |= set() if found.is_lock else {path}
        changed: set[Package] = set()
        stale |= self._naming(
            {package for package in made | self._made if bool(made[package]) != bool(self._made[package])}
        )
        for path in stale:
            before, after = self._uses.pop(path, ()), tuple(self._uses_of(path))
            if after:
                self._uses[path] = after
            if before != after:
                changed |= self._count(before, -1) | self._count(after, 1)
        return {package: self._versions(package) for package in sorted(changed)}

    def versions(self) -> dict[Package, Used]:
        """Return all that is in use."""
        return {package: self._versions(package) for package in sorted(self._counts) if self._counts[package]}

    def _naming(self, packages: Collection[Package]) -> set[str]:
        """Return the manifests that ask for any of some packages."""
        if not packages:
            return set()
        return {
            path
            for path, contents in self._files.items()
            if any(Package(need.ecosystem, need.package) in packages for need in contents.needs)
        }

    @property
    def made(self) -> frozenset[Package]:
        """The packages that the repository makes itself."""
        return frozenset(package for package, count in self._made.items() if count > 0)

    def _put(self, path: str, format_: Format, text: str | None) -> None:
        known = self._files.pop(path, None)
        if known is not None and known.makes is not None:
            self._made[known.makes] -= 1
        place, holds = (format_.ecosystem, path.rpartition("/")[0]), (format_.ecosystem, _applied_in(path))
        same = self._locks_in.setdefault(place, set()) if format_.is_lock else self._manifests[format_.ecosystem]
        same.discard(path)
        self._holders[holds].discard(path)
        if text is None:
            return
        try:
            # Editors of Windows write a mark before the first sign, and other ends of lines.
            contents = format_.read(text.removeprefix("\ufeff").replace("\r\n", "\n"))
            self._files[path] = contents
            same.add(path)
            if contents.makes is not None:
                self._made[contents.makes] += 1
            if contents.properties and path.lower().endswith(_HANDS_DOWN):
                self._holders[holds].add(path)
        except (UnreadableError, LookupError, TypeError, AttributeError, ValueError, RecursionError):
            # Written by hand or by another version of a tool: what it says is unknown, and counted.
            self.unread[path.rpartition("/")[2]] += 1

    def _depending(self, lock: str, format_: Format) -> Iterator[str]:
        """Yield the manifests for which a lock file speaks: those beside and below it."""
        root = _applied_in(lock)
        for path in self._manifests.get(format_.ecosystem, ()):
            if not root or path.startswith(f"{root}/"):
                yield path

    def _uses_of(self, path: str) -> Iterator[tuple[Package, str]]:
        contents, format_ = self._files.get(path), format_of(path)
        if contents is None or format_ is None:
            return
        locks = list(self._locks(path, format_)) if any(need.version is None for need in contents.needs) else []
        for need in contents.needs:
            package = Package(need.ecosystem, need.package)
            version = (
                need.version
                or self._named(path, need)
                or next((v for place, held in locks if (v := _locked(need, place, held))), None)
            )
            # What the repository makes itself is no package of others, unless a lock file took it from a registry.
            is_own = self._made[package] > 0 and (version is None or version == need.version)
            if version != ELSEWHERE and not is_own:
                yield package, version or UNTOLD

    def _named(self, path: str, need: Need) -> str | None:
        """Return the version that properties of this file, or of one beside or above it, give a name."""
        if "$" not in need.wanted:
            return None
        wanted, folder = need.wanted, path.rpartition("/")[0]
        held = [self._files[path].properties]
        while True:
            beside = self._holders.get((need.ecosystem, folder), ())
            held += [self._files[other].properties for other in sorted(beside) if other != path]
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        for properties in held:
            wanted = resolved(wanted, properties)
        exact = _EXACT.fullmatch(wanted)
        return exact["version"] if exact else None

    def _locks(self, path: str, format_: Format) -> Iterator[tuple[str, Contents]]:
        """Yield the lock files that speak for a manifest, the nearest first, with its folder below theirs."""
        folder = root = path.rpartition("/")[0]
        while True:
            for lock in sorted(self._locks_in.get((format_.ecosystem, root), ())):
                yield folder[len(root) :].strip("/"), self._files[lock]
            if not root:
                return
            root = root.rpartition("/")[0]

    def _count(self, uses: Iterable[tuple[Package, str]], sign: int) -> set[Package]:
        touched: set[Package] = set()
        for package, version in uses:
            counts = self._counts.setdefault(package, Counter())
            counts[version] += sign
            if not counts[version]:
                del counts[version]
            touched.add(package)
        return touched

    def _versions(self, package: Package) -> Used:
        return tuple(sorted(self._counts[package]))


def _applied_in(path: str) -> str:
    """Return the folder for which a file speaks: scripts of Gradle in a folder of that name are its parent's."""
    folder = path.rpartition("/")[0]
    is_script = path.endswith((".gradle", ".gradle.kts")) and folder.rpartition("/")[2] == "gradle"
    return folder.rpartition("/")[0] if is_script else folder


def _locked(need: Need, place: str, lock: Contents) -> str | None:
    if need.ecosystem == "npm":
        return locked_npm(need, place, lock.locked)
    held = lock.locked.get(need.package, ())
    if len(held) < 2:
        return held[0] if held else None
    # Of several at once the one that the range begins with; where that does not decide, nobody can tell.
    wanted = place_of(need.wanted)
    fits = [version for version in held if wanted and (at := place_of(version)) and _are_compatible(need, wanted, at)]
    return fits[0] if len(fits) == 1 else None


def _are_compatible(need: Need, wanted: Place, held: Place) -> bool:
    """Whether a version may be what a range asks for: of crates before 1.0 the second number is the line."""
    if need.ecosystem != "cargo" or wanted.line:
        return held.line == wanted.line
    width = next((place + 1 for place, number in enumerate(wanted.numbers[:3]) if number), 1)
    return held.numbers[:width] == wanted.numbers[:width]
