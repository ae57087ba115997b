"""A secret that a source or a library repeats is in nothing that the service keeps: Dagster's store, state, backups, exports.

The server repeats all that it is sent, as in ``tests/connectors/test_secrets.py``; one connector fails as a library may
that nobody expected it of, with address and token in its text.
"""

from __future__ import annotations

import contextlib
import io
import logging
from http.server import ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.resources import Workspace
from opsmetrics import build as plans
from opsmetrics.core.settings import secret
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.health import issues
from opsmetrics.snapshots.export import export
from opsmetrics.sources import argocd
from pipelines.definitions import build_definitions
from tests.connectors.test_secrets import Echo, forms, sources
from tests.listening import listening

SECRET, ADDRESS = "Wq7Zt4Kx9Rb2Nv6Pd3Hs", "Lm8Cy5Gf2Jw9Xe4Tb7Ra"
DAY = "2026-09-01"


def broken(_request):
    """What a library says that puts the request into its text."""
    behind = KeyError(f"https://host/{ADDRESS}")
    raise RuntimeError(f"{ADDRESS}: Authorization: Bearer {secret('PLANTED_ARGOCD_TOKEN_ENV')}") from behind


@pytest.fixture
def workspace(small, tmp_path, monkeypatch):
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Echo)) as address:
        text, variables = sources()
        (small / "sources.toml").write_text((small / "sources.toml").read_text() + text)
        for name in variables:
            monkeypatch.setenv(name, SECRET)
        monkeypatch.setenv("PLANTED_BASE", f"{address}/{ADDRESS}")
        monkeypatch.setenv("OPSMETRICS_WEBHOOK_URL", f"{address}/{ADDRESS}?{SECRET}")
        for name in ("OPSMETRICS_RETRY_SECONDS", "OPSMETRICS_PATIENCE_SECONDS", "OPSMETRICS_READ_APART"):
            monkeypatch.setenv(name, "0")
        monkeypatch.setattr(argocd, "deployments", broken)
        monkeypatch.setattr(Echo, "status", 200)
        yield Workspace(home=str(tmp_path / "home"), org=str(small))


def kept(folder: Path) -> bytes:
    """Every byte of every file; DuckDB packs its texts, so that its tables are read."""
    found = [path.read_bytes() + str(path).encode() for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in folder.rglob("*.duckdb"):
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables() union select schema_name, view_name"
                " from duckdb_views() where not internal"
            ).fetchall()
            found += [repr(con.execute(f'from "{schema}"."{name}"').fetchall()).encode() for schema, name in tables]
    return b"\n".join(found)


def test_a_secret_is_in_nothing_that_the_service_keeps(workspace, tmp_path, caplog):
    said = io.StringIO()
    definitions = build_definitions(workspace)
    (tmp_path / "dagster").mkdir()
    streams = [name for name in workspace.organisation().streams if name != "availability_checks"]
    with (
        dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance,
        caplog.at_level(logging.DEBUG),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        job = definitions.resolve_implicit_global_asset_job_def()
        graph = definitions.resolve_asset_graph()
        for is_daily in (True, False):
            keys = [dg.AssetKey(["landing", name]) for name in streams]
            chosen = [key for key in keys if graph.get(key).is_partitioned is is_daily]
            done = job.execute_in_process(
                instance=instance,
                asset_selection=chosen,
                partition_key=DAY if is_daily else None,
                raise_on_error=False,
            )
            assert chosen
            assert done.success
            assert len(done.get_asset_materialization_events()) == len(chosen)
    context = workspace.context()
    plans.build_and_publish(context)
    back_up(context.settings, tmp_path / "backup", context.now)
    export(context.settings.snapshots, tmp_path / "export")
    told = repr(issues(context.settings, context.now)) + said.getvalue() + caplog.text
    assert "asking it broke off (RuntimeError" in told
    place = kept(tmp_path) + told.encode()
    assert b"asking it broke off" in kept(tmp_path / "dagster")
    for form in (*forms(SECRET), ADDRESS.encode()):
        assert form not in place, place[max(0, place.find(form) - 300) :][:600]
