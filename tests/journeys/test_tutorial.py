"""The tutorial, followed word for word in an empty folder: every command runs, and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.apps import free_port
from tests.opsmetrics.proposals.test_start import commit
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
HIDDEN = ("OPSMETRICS_", "GIT_", "GITHUB_")


@dataclass(frozen=True)
class Step:
    """A block of the page, and the sentence before it."""

    says: str
    kind: str
    block: str


def steps(heading: str) -> list[Step]:
    """The blocks of a part of the page, in their order; an answer follows its command."""
    (part,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    block = r"(?:^((?:[^`\n][^\n]*\n)+)\n)?^```(\w+)\n(.*?)^```$"
    found = [Step(*(each or "" for each in m.groups())) for m in re.finditer(block, part, re.MULTILINE | re.DOTALL)]
    assert len(found) == part.count("\n```") / 2
    return found


def matches(wanted: str, printed: str) -> bool:
    """Whether a text is what the page shows; ``...`` stands for anything, and on a line of its own for any lines."""
    pieces = re.split(r"(?:^|\n)\.\.\.(?:\n|$)|\.\.\.", wanted.strip())
    pattern = ".*".join(re.escape(piece) for piece in pieces)
    return re.search(pattern, printed, re.DOTALL) is not None


class Reader:
    """Somebody who follows the page in a folder."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder, self.app = folder, ""
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(HIDDEN)}
        # The command of this checkout, whatever else is installed.
        (folder.parent / "bin").mkdir()
        command = folder.parent / "bin" / "opsmetrics"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m opsmetrics "$@"\n')
        command.chmod(0o755)
        self.env |= {
            "PATH": f"{command.parent}:{self.env['PATH']}",
            "PYTHONPATH": str(ROOT),
            "CHECKOUT": str(ROOT),
        } | env

    def follow(self, heading: str) -> None:
        printed = ""
        for step in steps(heading):
            if step.kind == "text":
                assert matches(step.block, printed), f"the page says\n{step.block}\nand it was\n{printed}"
            elif step.kind == "toml":
                (name,) = re.findall(r"Write `([^`]+)`:", step.says)
                (self.folder / name).write_text(step.block, encoding="utf-8")
            else:
                assert step.kind == "sh", step
                printed = self.open_app() if step.block.strip() == "opsmetrics app" else self.run(step.block)

    def run(self, block: str) -> str:
        """Run a block as a shell does, and keep what it exports."""
        script = f"set -e\n{block}\nenv -0 > ../environment"
        found = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert found.returncode == 0, f"{block}\n{found.stdout}"
        pairs = (self.folder.parent / "environment").read_text().split("\0")
        self.env = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        return found.stdout

    def open_app(self) -> str:
        """Start the app as the page says, on a free port, and stop it when it answers."""
        log, port = self.folder.parent / "app.log", free_port()
        with log.open("wb") as out:
            words = ["opsmetrics", "app", "--port", str(port)]
            process = subprocess.Popen(words, cwd=self.folder, env=self.env, stdout=out, stderr=subprocess.STDOUT)

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/", timeout=LIMIT_SECONDS).status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(answers, log.read_text, every=0.25)
        finally:
            process.terminate()
            process.wait(LIMIT_SECONDS)
        return log.read_text()


def script(view: str) -> None:
    import importlib  # noqa: PLC0415 - AppTest runs this function's source alone

    importlib.import_module(f"scorecard_app.views.{view}").render()


def seen(folder: Path, monkeypatch) -> str:
    """What the overview shows of the state that was made, in English."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(folder))
    app = AppTest.from_function(script, kwargs={"view": "overview"}, default_timeout=LIMIT_SECONDS)
    app.query_params["lang"] = "en"
    app.run()
    assert not app.exception, app.exception
    return "\n".join(element.proto.body for element in app.main if element.type == "html")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_from_exports_to_a_shown_score(folder, monkeypatch):
    reader = Reader(folder)
    reader.follow("From exports")
    html = re.sub(r"<[^>]+>", " ", seen(folder / ".opsmetrics", monkeypatch))
    assert "Helse" in html
    assert re.search(r"\b27\b", html), "26.7 of the page, in whole points"


def test_from_clones_to_a_scorecard(folder, tmp_path):
    """Addresses of the invented organisation lead to repositories on this machine."""
    origin = tmp_path / "nordhavn"
    for name in ("soknad-api", "journal"):
        subprocess.run(["git", "init", "-qb", "main", str(origin / name)], check=True)
    package = '{{\n  "dependencies": {{\n    "react": "{}"\n  }}\n}}\n'
    commit(origin / "soknad-api", "2024-03-01", **{"package.json": package.format("17.0.0")})
    commit(origin / "soknad-api", "2025-05-05", CODEOWNERS="* @nordhavn/helse\n")
    commit(origin / "soknad-api", "2026-02-01", CODEOWNERS="* @nordhavn/plattform\n")
    commit(origin / "soknad-api", "2026-03-01", **{"package.json": package.format("18.0.0")})
    commit(origin / "journal", "2025-01-10", readme="x")
    gitconfig = tmp_path / "gitconfig"
    gitconfig.write_text(f'[url "file://{tmp_path}/"]\n\tinsteadOf = https://github.com/\n')
    Reader(folder, GIT_CONFIG_GLOBAL=str(gitconfig)).follow("From clones")
