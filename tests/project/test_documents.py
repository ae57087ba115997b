"""What documents and comments point at exists: sections, decisions, files, links, modules, commands with their options."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from opsmetrics.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Where a path in backticks may begin: the root, the folder of documents, and the rooms that a text is about.
BASES = (ROOT, DOCS, ROOT / "opsmetrics", ROOT / "scorecard_app", ROOT / "examples" / "demo", ROOT / "deploy")
# Written by a run, a build or a user, or a word for a layout, so that no checkout holds them.
MADE = re.compile(
    r"^(\.venv|\.opsmetrics|OPSMETRICS_HOME|landing|snapshots|pulls|exchange|briefs|digests|restore-tests|damaged|upkeep|test-artifacts|src"
    r"|my-org|registers|\./|/)"
)
TO = r"(?:(?:, | and | to |, and )"


def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in found.decode().split("\0") if name and (ROOT / name).is_file()]


TRACKED = tracked()
TEXTS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in TRACKED
    if name.endswith((".py", ".sql", ".md", ".toml", ".css", ".js", ".kql", ".yml", ".yaml", ".example"))
    and name != "tests/project/test_documents.py"
}
WRITTEN = {name: text for name, text in TEXTS.items() if name.endswith(".md")}
RULE = re.compile(r"\|[\s:|-]+\|$")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def headings(name: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", FENCED.sub("", WRITTEN[name]), flags=re.MULTILINE)


def anchors(name: str) -> set[str]:
    """The addresses that a forge gives to headings: lower case, marks dropped, spaces as hyphens."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(name)}


def mentions(pattern: str, part: str) -> list[tuple[str, str]]:
    """Every single thing that a pattern's lists name: (file, thing)."""
    return [
        (name, thing)
        for name, text in TEXTS.items()
        for found in re.finditer(pattern, text)
        for thing in re.findall(part, found[1])
    ]


NUMBER = r"\d+(?:\.\d+)*"


def test_the_list_of_documents_names_each_of_them():
    listed = set(re.findall(r"\(([\w-]+\.md)\)", WRITTEN["docs/README.md"]))
    assert listed == {path.name for path in DOCS.glob("*.md")} - {"README.md"}


def test_every_section_of_the_method_that_is_mentioned_exists():
    known = {heading.split()[0].rstrip(".") for heading in headings("docs/method.md")}
    found = mentions(rf"\b[Mm]ethod(?:'s)?(?:,? section)? ({NUMBER}{TO}{NUMBER})*)", NUMBER)
    assert len(found) > 50
    assert [(name, section) for name, section in found if section not in known] == []


def test_every_worked_example_that_is_mentioned_exists():
    known = set(re.findall(r"^\*\*(G\d\d[a-d]?)\b", WRITTEN["docs/method.md"], flags=re.MULTILINE))
    known |= set(re.findall(r"\*\*(G\d\d[a-d]?)\*?\*?", WRITTEN["docs/method.md"]))
    found = [(name, example) for name, text in TEXTS.items() for example in re.findall(r"\bG\d\d[a-d]?\b", text)]
    assert len(found) > 30
    assert [(name, example) for name, example in found if example not in known] == []


def test_every_decision_of_the_architecture_that_is_mentioned_exists():
    text = WRITTEN["docs/architecture.md"]
    known = set(re.findall(r"^\*\*(D\d+) ", text, flags=re.MULTILINE)) | {
        heading.split(".")[0] for heading in headings("docs/architecture.md")
    }
    found = mentions(rf"\b[Aa]rchitecture(?: section)? (D?\d+{TO}D?\d+)*)", r"D?\d+")
    assert len(found) > 20
    assert [(name, decision) for name, decision in found if decision not in known] == []


def test_every_decision_record_that_is_mentioned_exists():
    known = {path.name[:4] for path in (DOCS / "adr").glob("*.md")}
    found = mentions(rf"\bADRs? (\d{{4}}{TO}\d{{4}})*)", r"\d{4}")
    assert len(found) > 20
    assert [(name, number) for name, number in found if number not in known] == []


def test_every_source_contract_that_is_mentioned_exists():
    """Letters and numbers are headings; F4 is the fourth of a list, F4b its carrier."""
    text = WRITTEN["docs/source-contracts.md"]
    known = {heading.split()[0].rstrip(".") for heading in headings("docs/source-contracts.md")}
    part = text[text.index("## F. ") : text.index("## G. ")]
    known |= {f"F{number}" for number in re.findall(r"^(\d+)\. ", part, flags=re.MULTILINE)}
    known |= {f"F4{letter}" for letter in re.findall(r"\(([a-c])\)", part)}
    found = mentions(
        rf"\b(?:[Ss]ource )?contracts,(?: section)? ((?:[A-Z]\d?[a-c]?|0\.\d|0){TO}(?:[A-Z]\d?[a-c]?|0\.\d))*)\b",
        r"[A-Z]\d?[a-c]?|0\.\d|0",
    )
    assert len(found) > 10
    assert [(name, contract) for name, contract in found if contract not in known] == []


def test_every_document_that_is_named_exists():
    """Names of Markdown files, wherever they stand: no comment points to a paper that a stranger cannot find.

    Witnesses name those of other repositories, with repository and commit.
    """
    names = {Path(name).name for name in TRACKED}
    ours = {name: text for name, text in TEXTS.items() if "witnesses" not in name}
    found = [(name, paper) for name, text in ours.items() for paper in re.findall(r"\b[\w-]+\.md\b(?!\()", text)]
    assert [(name, paper) for name, paper in found if paper not in names] == []


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_links_lead_somewhere(name):
    # What stands between backticks is no link: a regular expression may look like one.
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", FENCED.sub("", WRITTEN[name]))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        assert found.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(found.resolve().relative_to(ROOT).as_posix()), f"{name}: {target}"


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_tables_are_whole(name):
    """A row that stands apart from the head of its table is shown as a line of text."""
    lines = FENCED.sub("", WRITTEN[name]).splitlines()
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    heads = [number for number in rows if number - 1 not in rows]
    assert [lines[number] for number in heads if not RULE.match("".join(lines[number + 1 : number + 2]))] == []


def paths_of(text: str) -> set[str]:
    """What stands in backticks and looks like a path of this repository: below one of its folders, or a file by its name."""
    found = set(re.findall(r"`([\w.][\w./-]*)`", text))
    tops = {name.split("/")[0] for name in TRACKED if "/" in name}
    return {
        path
        for path in found
        if not MADE.match(path)
        and not re.fullmatch(r"\.\w+", path)
        and ((path.split("/")[0] in tops and "/" in path) or path.endswith((".py", ".sql", ".md", "/", ".css", ".js")))
    }


CODE = "\n".join(text for name, text in TEXTS.items() if name.endswith(".py"))


def exists(path: str) -> bool:
    """Whether there is such a file or folder; a tag or key with a slash is a string of the code."""
    if f'"{path}"' in CODE and "." not in path:
        return True
    if any((base / path).exists() for base in BASES):
        return True
    return any(name.endswith(f"/{path}") for name in TRACKED)


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_paths_exist(name):
    """A decision record is history: a path that has moved stays, if a dated "Since then" names it too."""
    text = FENCED.sub("", WRITTEN[name])
    since = text[text.index("**Since then") :] if name.startswith("docs/adr/") and "**Since then" in text else ""
    made = set(re.findall(r"^Write `([^`]+)`", text, flags=re.MULTILINE))
    missing = sorted(path for path in paths_of(text) - made if not exists(path) and f"`{path}`" not in since)
    assert missing == []


def test_modules_that_documents_and_docstrings_name_exist():
    pattern = r"``?((?:opsmetrics|assets|pipelines|scorecard_app|simulator|tools|benchmarks|calibration)(?:\.\w+)+)``?"
    found = {(name, dotted) for name, text in TEXTS.items() for dotted in re.findall(pattern, text)}
    assert len(found) > 10
    assert sorted(item for item in found if not named(item[1])) == []


def named(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name within one (an attribute of a class included)."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            spec = find_spec(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        if spec is not None:
            rest = parts[length:]
            source = Path(spec.origin or "").read_text(encoding="utf-8") if spec.origin else ""
            return all(re.search(rf"\b{part}\b", source) for part in rest)
    return False


def commands() -> list[tuple[str, str]]:
    """Every use of the command line in a document: shell blocks, and what stands in backticks."""
    found: list[tuple[str, str]] = []
    for name, text in WRITTEN.items():
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE):
            joined = re.sub(r"\\\n", " ", block)
            found += [
                (name, line)
                for line in re.findall(r"^(?:.*(?:bin/|\$\())?opsmetrics ([^|\n#>)]+)", joined, flags=re.MULTILINE)
            ]
        found += [(name, line) for line in re.findall(r"`opsmetrics ([^`]+)`", FENCED.sub("", text))]
    return found


def test_commands_that_documents_show_exist_with_their_options():
    shown = commands()
    assert len(shown) > 30
    for name, line in shown:
        for words in alternatives(line):
            command: click.Command = main
            path = list(words)
            while isinstance(command, click.Group) and path and not path[0].startswith("-"):
                found = command.get_command(click.Context(command), path.pop(0))
                assert found is not None, f"{name}: opsmetrics {line}"
                command = found
            options = {option for item in command.params for option in item.opts} | {"--help", "-h"}
            assert [word for word in path if re.match(r"--?[a-z]", word) and word.split("=")[0] not in options] == [], (
                f"{name}: opsmetrics {line}"
            )


def alternatives(line: str) -> list[list[str]]:
    """The words of a command; quotes may close on a later line, which is no part of it."""
    try:
        return [shlex.split(line)]
    except ValueError:
        return [line.split('"', maxsplit=1)[0].split()]
