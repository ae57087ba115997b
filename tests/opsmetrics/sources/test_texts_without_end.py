"""Texts of repositories that anybody may write: none is read for ever, whatever it says.

A title, a line or a body that a pattern could read in two ways for each word of it held up its source, and with it all
repositories, until the source was out of time.
"""

from __future__ import annotations

import time

import pytest

from opsmetrics.sources.bot_config import read_configuration
from opsmetrics.sources.dependencies.files import format_of
from opsmetrics.sources.dependencies.inventory import Inventory
from opsmetrics.sources.github.update_bodies import read_request
from opsmetrics.sources.manifest_pins import Pin
from opsmetrics.sources.manifests import pins_of
from opsmetrics.sources.update_titles import read_title, shape_of
from opsmetrics.sources.versions import direction_of, place_of, update_type

# As generous as a slow machine needs: what is meant takes hours, or centuries.
MOST_SECONDS = 20
TITLES = {
    "two ways for each range": "Update dependency a to " + "1 | " * 60 + "!",
    "two ways for each word": "Update dependency a to " + "a11111111 or " * 20 + "!",
    "two ways for each bracket": "[]:a:" * 50,
    "two ways for each word of rebasing": "rebase!:a:" * 25,
    "blanks": "Bump a from" + "\t" * 100_000 + "x",
    "many ends": "bump a from" + " to a" * 20_000,
    "many digits": "bump the a group with " + "9" * 5_000 + " updates",
    "one word": "a/" * 100_000,
}
LINES = {
    "two ways for each version of npm": ("package.json", '"a": "' + "1  " * 60),
    "two ways for each version of Composer": ("composer.json", '"a/b": "' + "1  " * 60),
    "two ways for each condition": ("main.tf", 'a = { version = "' + ",   1" * 60 + '!" }'),
    "blanks in YAML": ("values.yaml", "a: x" + " " * 100_000 + "\x01"),
    "blanks in XML": ("pom.xml", "<version>" + " " * 100_000 + "x"),
    "blanks in a comment": ("Makefile", "# renovate:" + " " * 100_000 + "x"),
    "comments in a comment": ("Makefile", "# " + "renovate: datasource=a " * 10_000),
    "plugins of Gradle": ("build.gradle", 'id "a" version' + " " * 100_000),
}
POM = (
    f"<project><properties><a>{'${b}' * 5_000}</a><b>{'x' * 1_000_000}</b></properties>"
    "<dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${a}</version>"
    "</dependency></dependencies></project>"
)
ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
LAUGHS = f'<!DOCTYPE project [<!ENTITY a0 "ha">{ENTITIES}]><project><version>&a12;</version></project>'
FILES = {
    "a name of parts": ("pyproject.toml", "a." * 50_000 + "a = 1"),
    "a name of quoted parts": ("Cargo.toml", '"a".' * 50_000 + "a = 1"),
    "needs of Elixir": ("mix.exs", '{:a, "' * 30_000),
    "locks of Elixir": ("mix.lock", '"' + "a" * 200_000 + '": {:hex'),
    "blanks": ("go.mod", " " * 200_000 + "x"),
    "many lines": ("requirements.txt", "a==1\n" * 200_000),
    "entities of entities": ("pom.xml", LAUGHS),
    "properties of properties": ("pom.xml", POM),
}


@pytest.fixture(autouse=True)
def soon():
    began = time.process_time()
    yield
    assert time.process_time() - began < MOST_SECONDS


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_titles(title):
    read_title(title)
    shape_of(title)


@pytest.mark.parametrize(("path", "line"), LINES.values(), ids=LINES)
def test_lines(path, line):
    assert pins_of(path, [line]) == []


def test_a_line_is_read_whole_or_not_at_all():
    line = '"a": "1.2.3"'
    (pin,) = pins_of("package.json", [line])
    assert pin == Pin("npm", "a", "1.2.3")
    assert pins_of("package.json", [" " * 1_000 + line]) == [pin]
    assert pins_of("package.json", [line + "x" * 2_000]) == []


@pytest.mark.parametrize(("path", "text"), FILES.values(), ids=FILES)
def test_files(path, text):
    inventory = Inventory()
    inventory.apply([(path, text)])
    assert format_of(path) is not None


@pytest.mark.parametrize("piece", ["[", "(", "a(", "[a](", "`a` -> "])
def test_bodies(piece):
    read_request("t", "| Package | Change |\n|---|---|\n| " + piece * 200_000)


def test_a_trailer_that_refers_to_itself_is_none():
    values = "".join(f"  b{i + 1}: &b{i + 1} [*b{i}, *b{i}]\n" for i in range(40))
    body = f"---\nupdated-dependencies:\n- a: &b0 [1]\n{values}  dependency-name: *b40\n"
    assert read_request("Bump the a group with 2 updates", body).packages == set()


@pytest.mark.parametrize("path", ["renovate.json", "package.json"])
def test_texts_of_json_that_never_end(path):
    read_configuration({path: '\\"' * 200_000})
    read_configuration({path: "/* " * 100_000})


def test_a_comment_that_never_ends_is_none():
    assert read_configuration({"renovate.json": "{} /* a"}).is_valid is False
    assert read_configuration({"renovate.json": "{} /* a */"}).is_valid is True


def test_numbers_of_thousands_of_digits_are_none():
    long = "1." + "9" * 5_000
    assert update_type(long, "2.0") == "other"
    assert direction_of(long, "2.0") == "unknown"
    assert place_of(long) is None
    assert place_of("1.0.post" + "9" * 5_000) is not None
