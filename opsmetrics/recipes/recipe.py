"""One recipe: what it is of, which files it fits, and the query that it becomes in an organisation's folder."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from opsmetrics.core.atomic import write_whole_text
from opsmetrics.core.errors import ConfigurationError, Problem, can_be_written
from opsmetrics.core.model import Model, Slug
from opsmetrics.core.sqlheader import read_header
from opsmetrics.language.bilingual import Text
from opsmetrics.organisation.queries import FOLDER, FORMATS, Format
from opsmetrics.organisation.zone import configured_zone
from opsmetrics.recipes.shape import Shape, shapes_of
from opsmetrics.sources.file_days import undated
from opsmetrics.sources.raw_table import folded

_QUOTED = re.compile(r'"([^"]+)"')
# A line that ends so, once or more, stands in the query only where the file has one of the columns, or none of them.
_ONLY = re.compile(r'\s*-- (?P<when>if|unless) (?P<columns>"[^"]+"(?: "[^"]+")*)\s*$')


class RecipeHeader(Model):
    """Header of a recipe.

    Attributes:
        title: What the file is an export of.
        stream: Stream that it gives rows of.
        source: Name of the source.
        input: Name that the select uses for the file.
        columns: Columns, or keys of JSON, that every export of this form has.
        names: Column -> other names of it, in other languages and versions; the select writes it in double quotes.
        formats: Formats of such a file; empty for any.
        says: Place in a JSON file, keys with dots between -> what stands there; where other tools have the same
            columns.
        records: Where in a JSON file the records are, or the table of a SQLite file; several where the form has
            several.
        tables: Name that the select uses for another table of the same SQLite file -> that table.
        cut_at: Numbers of records at which the tool cuts an export off by itself.
        naive_time: Zone of its times without offset, ``local`` for the organisation's; without it they have offsets.
        team: Column that names the team that handled a record, where exports have one.
        note: What to know before its rows are believed.
    """

    title: Text
    stream: Slug
    source: Slug
    input: str
    columns: list[str] = Field(min_length=1)
    names: dict[str, list[str]] = Field(default_factory=dict)
    formats: tuple[Format, ...] = ()
    says: dict[str, str] = Field(default_factory=dict)
    records: tuple[str, ...] = ("",)
    tables: dict[str, str] = Field(default_factory=dict)
    cut_at: list[int] = Field(default_factory=list[int])
    naive_time: str | None = None
    team: str | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe that ships with the product.

    Attributes:
        name: Its name, such as ``servicenow_incidents``.
        header: What it says of itself.
        select: Its select, with lines that stand only where a file has a column.
    """

    name: str
    header: RecipeHeader
    select: str = field(repr=False)

    @property
    def stream(self) -> str:
        """Stream that it gives rows of."""
        return self.header.stream

    @property
    def title(self) -> Text:
        """What the file is an export of, in both languages."""
        return self.header.title

    @property
    def note(self) -> Text | None:
        """What to know before its rows are believed, in both languages."""
        return self.header.note

    def place_in(self, shape: Shape) -> str | None:
        """Return where in a file of this shape its records are, None where it is of another form."""
        if self.header.formats and shape.kind not in self.header.formats:
            return None
        if not set(self.header.tables.values()) <= shape.records.keys():
            return None
        if not self.header.says.items() <= shape.said.items():
            return None
        for place in self.header.records:
            there = shape.records.get(place)
            if there is not None and all(self._found(name, there) is not None for name in self.header.columns):
                return place
        return None

    def shape_in(self, file: Path) -> Shape | None:
        """Return what a file looks like to this recipe, None where it is of another form."""
        return next((shape for shape in shapes_of(file) if self.place_in(shape) is not None), None)

    def _found(self, name: str, there: Collection[str]) -> str | None:
        """Return what a column is called in a file with these columns, None where it has none."""
        called = (name, *self.header.names.get(name, ()))
        return next((each for each in called if folded(each) in there), None)

    def team_in(self, file: Path) -> str | None:
        """Return the column of a file that names the team that handled a record; None where it has none."""
        shape = self.shape_in(file)
        place = self.place_in(shape) if shape is not None else None
        if shape is None or place is None or self.header.team is None:
            return None
        return self._found(self.header.team, shape.records[place])

    def query(self, shape: Shape, path: str, zone: str) -> str:
        """Return the text of the query for a file.

        Args:
            shape: What the file looks like.
            path: Path of the file as the query is to name it.
            zone: The organisation's time zone.

        Raises:
            ValueError: The file is of another form.
        """
        place = self.place_in(shape)
        if place is None:
            raise ValueError(f"{path} is no {self.title.en}")
        lines = [
            f"-- source = {_toml(self.header.source)}",
            f"-- files.{self.header.input} = {_files(shape, path, place, self.header.cut_at)}",
            *(f"-- files.{name} = {_files(shape, path, table)}" for name, table in self.header.tables.items()),
        ]
        zoned = zone if self.header.naive_time == "local" else self.header.naive_time
        lines += [f"-- naive_time = {_toml(zoned)}"] if zoned else []
        lines += [f"-- # {text}" for text in (self.note.nb, self.note.en)] if self.note else []
        lines += self._fitting(shape.records[place])
        return "\n".join(lines) + "\n"

    def _fitting(self, there: frozenset[str]) -> list[str]:
        """Return the lines of the select that a file with these columns can have, under the names that it uses."""
        found: list[str] = []
        for line in self.select.splitlines():
            rest, is_kept = line, True
            while (only := _ONLY.search(rest)) is not None:
                has_one = any(self._found(name, there) is not None for name in _QUOTED.findall(only["columns"]))
                is_kept = is_kept and has_one is (only["when"] == "if")
                rest = rest[: only.start()]
            if is_kept:
                found.append(_QUOTED.sub(lambda name: f'"{self._found(name[1], there) or name[1]}"', rest))
        return found

    def text_for(self, file: Path, zone: str) -> str:
        """Return the query for a file without its path: files with the same text can be read by one query.

        Args:
            file: An export that this recipe fits.
            zone: The organisation's time zone.

        Raises:
            ValueError: The file is of another form.
        """
        shape = self.shape_in(file)
        if shape is None:
            raise ValueError(f"{file} is no {self.title.en}")
        return self.query(shape, "", zone)

    def pattern_of(self, file: Path) -> str | None:
        """Return a pattern for the files of other days or months beside a file, so that the next one is read too.

        Args:
            file: An export that this recipe fits.

        Returns:
            None where the file's name says no day, or the pattern would name files of another form.
        """
        pattern = undated(file.name)
        if pattern is None or any(self.shape_in(each) is None for each in file.parent.glob(pattern) if each.is_file()):
            return None
        return pattern

    def write(self, org_folder: Path, file: Path, pattern: str | None = None) -> Path:
        """Write ``sources/<stream>.sql`` for a file; where the stream has one, ``sources/<stream>.<source>.sql``.

        Args:
            org_folder: Folder of the organisation's configuration.
            file: The export; below the root of sources.toml or below the folder itself.
            pattern: Of the names of all files of this form in the folder of ``file``, where there are several.

        Returns:
            The query's file.

        Raises:
            ConfigurationError: The file is of another form or lies elsewhere, or both queries exist.
        """
        shape = self.shape_in(file)
        if shape is None:
            raise _refused(file, f"this is no {self.title.en}", "choose another recipe, or write the select yourself")
        folder = org_folder / FOLDER
        names = (f"{self.stream}.sql", f"{self.stream}.{self.header.source}.sql")
        free = next((folder / name for name in names if not (folder / name).exists()), None)
        same = next((folder / name for name in names if _source_of(folder / name) == self.header.source), None)
        if free is None or same is not None:
            fix = "let one query read both with a pattern such as *.csv, or remove the query"
            message = f"a query of {self.header.source} exists already" if same else "this query exists already"
            raise _refused(same or folder / names[1], message, fix)
        path = _path_below(org_folder, file)
        if pattern is not None:
            path = path.removesuffix(file.name) + pattern
        text = self.query(shape, path, configured_zone(org_folder))
        folder.mkdir(parents=True, exist_ok=True)
        write_whole_text(free, text)
        return free


def _source_of(query: Path) -> str | None:
    """Return the source that a query names; None where it cannot be told."""
    try:
        said = read_header(query.read_text(encoding="utf-8-sig")).get("source")
    except (OSError, ValueError):
        return None
    return said if isinstance(said, str) else None


def _toml(text: str) -> str:
    # JSON escapes most of the same signs. A table or file whose name breaks the line writes no line of its own here.
    said = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in said)


def _files(shape: Shape, path: str, place: str, cut_at: Sequence[int] = ()) -> str:
    """Return the header's value for a file: what cannot be told from the file itself is said."""
    said: dict[str, str | int | list[int]] = {"path": path}
    if FORMATS.get(Path(path).suffix.lower(), shape.kind) != shape.kind:
        said["format"] = shape.kind
    if shape.encoding not in {None, "utf-8", "utf-16"}:
        said["encoding"] = shape.encoding or ""
    if shape.delimiter == "|":
        said["delimiter"] = "|"
    if shape.sheet is not None:
        said["sheet"] = shape.sheet
    if shape.skip_lines:
        said["skip_lines"] = shape.skip_lines
    if place:
        said["table" if shape.kind == "sqlite" else "records"] = place
    if cut_at:
        said["cut_at"] = list(cut_at)
    if len(said) == 1:
        return _toml(path)
    values = (f"{key} = {_toml(value) if isinstance(value, str) else value}" for key, value in said.items())
    return "{ " + ", ".join(values) + " }"


def _path_below(org_folder: Path, file: Path) -> str:
    """Return the path of a file as queries name it: from the root of sources.toml, or from the folder itself."""
    if not can_be_written(str(file)):
        raise _refused(file, "a query cannot say the name of this file", "rename it, in letters that UTF-8 has")
    sources = org_folder / "sources.toml"
    root = "."
    if sources.exists():
        said: Any = tomllib.loads(sources.read_text(encoding="utf-8-sig")).get("root", ".")
        root = str(said)
    for base in ((org_folder / root).resolve(), org_folder.resolve()):
        if file.resolve().is_relative_to(base):
            return file.resolve().relative_to(base).as_posix()
    fix = f"move it there, or let root in {sources} name its folder"
    raise _refused(file, "the file lies neither below the root of sources.toml nor below the configuration", fix)


def _refused(file: Path, message: str, fix: str) -> ConfigurationError:
    return ConfigurationError([Problem(str(file), None, message, fix)])


@cache
def recipes() -> tuple[Recipe, ...]:
    """Return all recipes, by name."""
    return tuple(_read(path) for path in sorted(Path(__file__).parent.glob("*.sql")))


def _read(path: Path) -> Recipe:
    text = path.read_text(encoding="utf-8")
    header = RecipeHeader.model_validate(read_header(text))
    select = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return Recipe(path.stem, header, select)


def recognise(file: Path) -> list[Recipe]:
    """Return the recipes of tools that fit a file, the one that asks for most columns first.

    Args:
        file: An export.
    """
    shapes = shapes_of(file)
    fitting = [each for each in recipes() if any(each.place_in(shape) is not None for shape in shapes)]
    return sorted(fitting, key=lambda each: (-len(each.header.columns), each.name))
