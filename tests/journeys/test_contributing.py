"""The recipes of CONTRIBUTING.md, followed word for word in a copy of the checkout: what they promise is there afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# A sentence that ends in a colon, and the block below it.
STEP = re.compile(
    r"^(?P<says>\S[^\n]*(?:\n\S[^\n]*)*):\n\n```(?P<kind>\w+)\n(?P<block>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What the Makefile's target runs, without the set-up that a copy has no need of.
MADE = {"make docs": ["python", "-m", "tools.docs"]}


@dataclass(frozen=True)
class Step:
    """What a recipe tells to do: a sentence and the block below it."""

    says: str
    kind: str
    block: str


def steps(heading: str) -> list[Step]:
    """The steps of one recipe, in their order."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    found = [Step(" ".join(step["says"].split()), step["kind"], step["block"]) for step in STEP.finditer(section)]
    assert len(found) == section.count("\n```") / 2, "every block stands below a sentence that says what to do with it"
    return found


class Copy:
    """A copy of what git knows of the checkout, in which a recipe is followed."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / ".opsmetrics"
        self.touched: set[str] = set()
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        for name in names:
            if name and (ROOT / name).is_file() and not name.endswith((".png", ".lock")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)

    def follow(self, heading: str) -> list[str]:
        """Do what every step says; return what the commands printed."""
        printed = [text for step in steps(heading) for text in self.do(step)]
        self.check_layout()
        return printed

    def check_layout(self) -> None:
        """Format what was written as `make fmt` does, and hold it against the linters of `make check`."""
        tools = {
            ".py": (["ruff", "format"], ["ruff", "check", "--no-cache"]),
            ".sql": (["sqruff", "lint", "--quiet", "--parsing-errors"],),
        }
        for suffix, commands in tools.items():
            names = sorted(name for name in self.touched if name.endswith(suffix))
            for name, *words in commands if names else ():
                tool = Path(sys.executable).parent / name
                found = subprocess.run(
                    [tool, *words, *names], cwd=self.root, capture_output=True, text=True, check=False
                )
                assert found.returncode == 0, found.stdout + found.stderr

    def do(self, step: Step) -> list[str]:
        if step.says == "Append that line, and run":
            # What the step before it printed: a person would copy it.
            self.append("sql/metrics/rulesets.toml", self.line + "\n")
        elif found := re.fullmatch(r"(?:.* )?Write `([^`]+)`", step.says):
            self.write(found[1], step.block)
        elif found := re.fullmatch(r"(?:.* )?Append to `([^`]+)`", step.says):
            self.append(found[1], step.block)
        elif found := re.fullmatch(r"(?:.* )?In `([^`]+)`, (after|before|instead of) the line `([^`]+)`", step.says):
            self.insert(found[1], found[2], found[3], step.block)
        elif found := re.fullmatch(r"(?:.* )?In `([^`]+)`, after the row of \*([^*]+)\*", step.says):
            self.insert_row(found[1], found[2], step.block)
        else:
            assert step.kind == "sh", f"nobody can tell what to do here: {step.says}"
        if step.kind != "sh":
            return []
        return [self.run(line, stops="it stops" in step.says) for line in step.block.splitlines()]

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        assert not path.exists(), f"{name} exists already: the recipe must take another name"
        self.touched.add(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        self.touched.add(name)
        with (self.root / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def insert(self, name: str, where: str, line: str, block: str) -> None:
        self.touched.add(name)
        lines = (self.root / name).read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, found in enumerate(lines) if found.split("  #")[0].strip() == line]
        assert len(places) == 1, f"{name}: {line!r} stands there {len(places)} times"
        start = places[0] + (where == "after")
        lines[start : places[0] + 1 if where == "instead of" else start] = [block]
        (self.root / name).write_text("".join(lines), encoding="utf-8")

    def insert_row(self, name: str, first: str, block: str) -> None:
        (line,) = [row for row in (self.root / name).read_text().splitlines() if row.startswith(f"| {first} |")]
        self.insert(name, "after", line, block)

    def run(self, line: str, *, stops: bool = False) -> str:
        """Run a command of the recipe with the copy's code and this interpreter's packages."""
        words = MADE.get(line) or line.removeprefix(".venv/bin/").split()
        assert line.startswith((".venv/bin/", "make ")), line
        if words[0] == "opsmetrics":
            module, function = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"][
                "opsmetrics"
            ].split(":")
            words = ["python", "-c", f"from {module} import {function}; {function}()", *words[1:]]
        command = [sys.executable, *words[1:]]
        if "pytest" in words:
            command += ["-q", "-p", "no:cacheprovider"]
        # A contributor's shell: a forge's variables would ask for the real data, which stands beside the checkout only.
        environment = {
            key: value
            for key, value in os.environ.items()
            if key != "CI" and not key.startswith(("OPSMETRICS_", "PYTEST_"))
        }
        environment |= {"PYTHONPATH": str(self.root), "OPSMETRICS_HOME": str(self.home)}
        found = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        printed = found.stdout + found.stderr
        assert (found.returncode != 0) == stops, f"{line}\n{printed}"
        recorded = re.search(r'"[\d.]+" = "[0-9a-f]{64}"', printed)
        if stops:
            assert recorded, printed
            self.line = recorded[0]
        return printed

    def document(self, name: str) -> str:
        return (self.root / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path / "checkout")


def test_the_makefile_runs_what_the_copy_runs():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, (_, *words) in MADE.items():
        name = target.removeprefix("make ")
        assert re.search(rf"^{name}:[^\n]*\n\t\$\(BIN\)/python {' '.join(words)}$", makefile, flags=re.MULTILINE)


def test_a_diagnostic(copy):
    printed = copy.follow("Add a diagnostic")
    assert " passed" in printed[1]
    assert "`dx_deploys_on_days_off` | Diagnostic | Deployments on days off / Utrullinger på fridager" in copy.document(
        "metrics.md"
    )
    assert "### diagnostics.dx_deploys_on_days_off" in copy.document("data-dictionary.md")


def test_a_metric(copy):
    before = int(re.search(r"metrics=(\d+)", copy.run(".venv/bin/opsmetrics check --org examples/altinn"))[1])
    printed = copy.follow("Add a metric")
    assert f"metrics={before + 1}" in printed[1]
    assert "passed" in printed[2]
    assert "| `aut_failed_deploys_recovered` | Failed deployments recovered within a day /" in copy.document(
        "metrics.md"
    )
    # And the simulated organisation's own arithmetic knows it.
    truth = "from simulator.truth import practice, scores; print(scores.RULES['aut_failed_deploys_recovered'], practice.aut_failed_deploys_recovered)"
    told = subprocess.run(
        [sys.executable, "-c", truth],
        cwd=copy.root,
        env=os.environ | {"PYTHONPATH": str(copy.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "(0, 0.5, 0.8, 0.95, 10)" in told.stdout


def test_a_source(copy):
    printed = copy.follow("Add a source")
    assert "1 passed" in printed[0]
    assert "## toil_survey\n\nAnswers of an anonymous survey of toil." in copy.document("connectors.md")


PAGE = """
from streamlit.testing.v1 import AppTest

def page():
    import importlib
    importlib.import_module("scorecard_app.views.owners").render()

for language in ("nb", "en"):
    app = AppTest.from_function(page, default_timeout=1800)
    app.query_params["lang"] = language
    app.run()
    assert not app.exception, app.exception
    print("".join(element.proto.body for element in app.main if element.type == "html"), end="\\0")
"""


def test_a_page(copy, small):
    """It opens in both languages over a snapshot of the small organisation, and every page leads to it."""
    printed = copy.follow("Add a page")
    assert " passed" in printed[0]
    copy.run(f".venv/bin/opsmetrics run --org {small}")
    (copy.root / "look.py").write_text(PAGE)
    environment = {"PYTHONPATH": str(copy.root), "OPSMETRICS_HOME": str(copy.home), "OPSMETRICS_ORG": str(small)}
    looked = subprocess.run(
        [sys.executable, "look.py"],
        env=os.environ | environment,
        cwd=copy.root,
        capture_output=True,
        text=True,
        check=True,
    )
    norwegian, english, _ = looked.stdout.split("\0")
    for html, title in ((norwegian, "Eierskap"), (english, "Owners")):
        assert re.search(rf"<h1[^>]*>{title}", html)
        assert re.search(rf'<a[^>]*href="/eiere[^"]*"[^>]*>{title}</a>', html), "it is listed in the foot"
        assert "Alfa" in html
