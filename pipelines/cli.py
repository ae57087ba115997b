"""The command line ``opsmetrics``. Imports happen inside commands, so that ``--help`` is immediate."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import configuring, meeting, upkeep

if TYPE_CHECKING:
    from opsmetrics.pipeline import Context
    from opsmetrics.settings import Settings
    from opsmetrics.sources import PullResult

EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_MISSED = 3
EXIT_UNKNOWN = 4


class _Group(click.Group):
    """Shows our own errors as text and exit code 1, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from opsmetrics.errors import OpsMetricsError, StorageError, is_refusal

        try:
            return super().invoke(ctx)
        except OpsMetricsError as error:
            click.echo(f"error: {error}", err=True)
        except OSError as error:
            if not is_refusal(error):
                raise
            click.echo(f"error: {StorageError(error)}", err=True)
        sys.exit(EXIT_WRONG)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="opsmetrics")
def main() -> None:
    """Operations scorecard: pull sources, build scores, publish a snapshot, look at it.

    State lives under OPSMETRICS_HOME (default .opsmetrics). Exit codes: 0 done, 1 something is wrong and was
    explained, 2 wrong usage.
    """
    # State is for the service's own user and group, whatever the shell that starts us allows.
    os.umask(0o027)


def _org(command: Any) -> Any:
    text = "Folder of the organisation's configuration (default: OPSMETRICS_ORG or examples/demo)."
    return click.option("--org", type=click.Path(path_type=Path, file_okay=False), help=text)(command)


def _data(command: Any) -> Any:
    text = "Folder that replaces `root` of sources.toml."
    return click.option("--data", type=click.Path(path_type=Path, file_okay=False), help=text)(command)


def _json(command: Any) -> Any:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object for scripts.")(command)


def _settings(org: Path | None = None, data: Path | None = None) -> Settings:
    from opsmetrics.settings import Settings

    settings = Settings.from_env()
    if org is not None:
        settings = replace(settings, org=org)
    if data is not None:
        settings = replace(settings, data=data)
    return settings


def _context(settings: Settings, known_at: str | None = None) -> Context:
    from opsmetrics.pipeline import load_context
    from opsmetrics.settings import parse_instant

    return load_context(settings, parse_instant(known_at) if known_at else None)


@main.command()
@_org
@_json
@click.option("--connect", is_flag=True, help="Also ask every connector its smallest question.")
def check(org: Path | None, *, connect: bool, as_json: bool) -> None:
    """Validate the organisation's configuration and the SQL files as a whole."""
    from opsmetrics.errors import ConfigurationError
    from opsmetrics.organisation.access import load_access

    settings = _settings(org)
    try:
        load_access(settings.org)
        context = _context(settings)
    except ConfigurationError as error:
        if as_json:
            problems = [{"file": p.file, "line": p.line, "message": p.message, "fix": p.fix} for p in error.problems]
            click.echo(json.dumps({"ok": False, "problems": problems}, ensure_ascii=False))
        else:
            click.echo(f"{error}\n\n{len(error.problems)} problem(s) in {settings.org}", err=True)
        sys.exit(EXIT_WRONG)
    facts = {
        "ok": True,
        "organisation": context.organisation.settings.id,
        "teams": len(context.organisation.teams),
        "services": len(context.organisation.services),
        "streams": len(context.organisation.streams),
        "metrics": len(context.catalogue.metrics),
    }
    if not connect:
        click.echo(json.dumps(facts) if as_json else " ".join(f"{key}={value}" for key, value in facts.items()))
        return
    from dataclasses import asdict

    from pipelines.connecting import connections

    found = connections(settings, context.organisation)
    if as_json:
        click.echo(json.dumps(facts | {"connections": [asdict(item) for item in found]}, ensure_ascii=False))
    else:
        for item in found:
            mark = "ok    " if item.is_connected else "FAILED"
            said = item.said.replace("\n    fix: ", "; to mend it: ")
            click.echo(f"{mark} {item.source:<20} {item.kind:<16} {said}")
    if not all(item.is_connected for item in found):
        sys.exit(EXIT_WRONG)


@main.command()
@_org
@_json
def owners(org: Path | None, *, as_json: bool) -> None:
    """Propose owners from CODEOWNERS of the GitHub connectors' repositories; nothing is changed."""
    from dataclasses import asdict

    from opsmetrics.organisation import load_organisation
    from opsmetrics.organisation.connectors import GitHub
    from opsmetrics.sources.ask import Ask
    from opsmetrics.sources.github.owners import proposals

    settings = _settings(org)
    organisation = load_organisation(settings.org)
    now = settings.clock(organisation.settings.now)
    today = now.astimezone(organisation.zone).date()
    days = (today, today + timedelta(days=1))
    found = {
        item.repository: item
        for connector in organisation.sources.connector
        if isinstance(connector, GitHub)
        for item in proposals(Ask.make(settings, organisation, connector, connector.streams[0], days, now))
    }
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found.values()], ensure_ascii=False))
        return
    for item in found.values():
        said = ", ".join(item.teams) or "no team in CODEOWNERS"
        mark = "differs" if item.differs else "agrees " if item.teams else "       "
        click.echo(f"{mark} {item.service:<28} services.toml: {item.current or '-':<20} {item.repository}: {said}")


def _window(start: Any, end: Any) -> tuple[date, date] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise click.UsageError("--from and --to go together")
    return start.date(), end.date() + timedelta(days=1)


_DAY = click.DateTime(formats=["%Y-%m-%d"])


@main.command()
@_org
@_data
@_json
@click.option("--stream", "streams", multiple=True, help="Only this stream (repeatable).")
@click.option("--source", "origins", multiple=True, help="Only this connector, or files (repeatable).")
@click.option("--from", "start", type=_DAY, help="First local day.")
@click.option("--to", "end", type=_DAY, help="Last local day.")
def pull(
    org: Path | None,
    data: Path | None,
    streams: tuple[str, ...],
    origins: tuple[str, ...],
    start: Any,
    end: Any,
    *,
    as_json: bool,
) -> None:
    """Pull the sources into landing; what was landed before is left alone."""
    from opsmetrics.organisation import load_organisation
    from pipelines.pulling import pull_streams

    settings = _settings(org, data)
    organisation = load_organisation(settings.org)
    names = list(streams) or sorted(organisation.streams)
    unknown = [name for name in names if name not in organisation.streams]
    if unknown:
        raise click.UsageError(f"not in sources.toml: {', '.join(unknown)}")
    strangers = set(origins) - {delivery.origin for delivery in organisation.deliveries}
    if strangers:
        raise click.UsageError(f"not in sources.toml: {', '.join(sorted(strangers))}")
    results = pull_streams(settings, organisation, names, _window(start, end), origins=origins, quiet=as_json)
    _report_pulls(results, as_json=as_json)
    if any(result.error for result in results):
        sys.exit(EXIT_WRONG)


def _report_pulls(results: list[PullResult], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "stream": r.stream,
                "source": r.origin,
                "loads": len(r.loads),
                "rows": r.rows,
                "quarantined": r.quarantined,
                "unchanged": r.unchanged,
                "error": r.error,
            }
            for r in results
        ]
        click.echo(json.dumps({"streams": rows}, ensure_ascii=False))
        return
    for r in results:
        state = "failed" if r.error else ("landed" if r.loads else "unchanged")
        aside = f", {r.quarantined} set aside" if r.quarantined else ""
        click.echo(f"{r.stream:<22} {r.origin:<16} {state:<10} {r.rows:>10} rows{aside}")
        if r.error:
            click.echo(r.error, err=True)


@main.command()
@_org
@_json
@click.option("--known-at", help="Leave out loads landed after this instant (ISO 8601 with offset).")
def build(org: Path | None, known_at: str | None, *, as_json: bool) -> None:
    """Build facts, metrics and scores from what is landed."""
    from opsmetrics import pipeline

    context = _context(_settings(org), known_at)
    built = pipeline.build(context, _progress(as_json=as_json))
    set_aside = [text for texts in built.damaged.values() for text in texts]
    facts = {"build_id": built.build_id, "changed": built.changed, "set_aside": set_aside}
    if as_json:
        click.echo(json.dumps(facts))
        return
    for text in set_aside:
        click.echo(text, err=True)
    click.echo(f"{'built' if built.changed else 'unchanged'} {built.build_id[:12]}")


def _progress(*, as_json: bool) -> Any:
    if as_json or not sys.stderr.isatty():
        return lambda _: None
    return lambda step: click.echo(f"\r\x1b[2K{step}", nl=False, err=True)


@main.command()
@_org
@_json
def publish(org: Path | None, *, as_json: bool) -> None:
    """Publish the finished build as an immutable snapshot and make it the current one."""
    from opsmetrics import pipeline
    from opsmetrics.errors import SnapshotError
    from opsmetrics.warehouse import connect
    from opsmetrics.warehouse.connection import finished_build

    context = _context(_settings(org))
    with connect(context.settings.warehouse) as con:
        identity = finished_build(con)
    if identity is None:
        raise SnapshotError("there is no finished build; run `opsmetrics build` first")
    found, changed = pipeline.publish(context, identity)
    facts = {"path": str(found.path), "build_id": identity, "changed": changed}
    click.echo(json.dumps(facts) if as_json else f"{'published' if changed else 'unchanged'} {found.path}")


@main.command()
@_org
@_data
@_json
def run(org: Path | None, data: Path | None, *, as_json: bool) -> None:
    """Pull, build and publish: the same Dagster assets as the schedule, in this process."""
    from pipelines.run import run_everything

    settings = _settings(org, data)
    outcome = run_everything(settings, quiet=as_json)
    if as_json:
        click.echo(json.dumps(outcome, ensure_ascii=False))
    else:
        for problem in (*outcome["errors"], *outcome["set_aside"], *outcome["at_risk"]):
            click.echo(problem, err=True)
        click.echo(f"snapshot {outcome['path']}")
    if not outcome["ok"]:
        sys.exit(EXIT_WRONG)


@main.command()
@_org
@_json
@click.option(
    "--ruleset",
    "rules",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of SQL files like sql/, with other thresholds or weights and a version of its own.",
)
def backtest(org: Path | None, rules: Path, *, as_json: bool) -> None:
    """Replay other rules over the history and list who would have stood on another level, and when."""
    from opsmetrics import whatif

    moved = whatif.backtest(_settings(org), rules)
    if as_json:
        click.echo(json.dumps([{**row, "as_of": row["as_of"].isoformat()} for row in moved.iter_rows(named=True)]))
        return
    for row in moved.iter_rows(named=True):
        scores = " -> ".join("-" if row[name] is None else f"{row[name]:.1f}" for name in ("score", "score_after"))
        levels = " -> ".join("-" if row[name] is None else str(row[name]) for name in ("level", "level_after"))
        click.echo(f"{row['as_of']:%Y-%m-%d} {row['grain']:<7} {row['team_id']:<24} level {levels}  score {scores}")
    teams = moved["team_id"].n_unique()
    click.echo(f"{moved.height} changes of level, {teams} teams" if moved.height else "no team changes level")


@main.command()
@click.option(
    "--org",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the changed configuration.",
)
def preview(org: Path) -> None:
    """Print what a changed configuration would do to today's scores, as Markdown for a pull request."""
    from opsmetrics import whatif

    click.echo(whatif.preview(_settings(), org))


@main.command()
@click.option("--port", default=8501, show_default=True, help="Port of the app, on loopback.")
@click.option("--no-app", is_flag=True, help="Only build the snapshot.")
@click.option("--seed", default=1, show_default=True, help="Seed of the pretend organisation.")
@click.option("--scale", default=1.0, show_default=True, help="Size: 2 is every team twice, 0.5 half of them.")
@click.option("--from-files", is_flag=True, help="Read files only, without simulated servers.")
def demo(port: int, seed: int, scale: float, *, no_app: bool, from_files: bool) -> None:
    """Make the fictional organisation, pull it from simulated servers, build its scorecard and open the app."""
    from pipelines.demo import run_demo

    settings = _settings()
    outcome = run_demo(settings, _demo_org(), seed=seed, scale=scale, from_files=from_files)
    if not outcome["ok"]:
        for error in outcome["errors"]:
            click.echo(error, err=True)
        sys.exit(EXIT_WRONG)
    click.echo(f"snapshot {outcome['path']}")
    if not no_app:
        _serve(settings, port)


def _demo_org() -> Path:
    checkout = Path(__file__).resolve().parent.parent / "examples" / "demo"
    return checkout if checkout.exists() else Path("examples/demo")


@main.command()
@click.option("--port", default=8501, show_default=True, help="Port.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Beyond loopback only with sign-in.")
def app(port: int, address: str) -> None:
    """Open the scorecard on the current snapshot."""
    _serve(_settings(), port, address)


def _serve(settings: Settings, port: int, address: str = "127.0.0.1") -> None:
    script = Path(__file__).resolve().parent.parent / "scorecard_app" / "server.py"
    # The app runs in a folder of its own: paths must hold there.
    env = os.environ | {"OPSMETRICS_HOME": str(settings.home.resolve()), "OPSMETRICS_ORG": str(settings.org.resolve())}
    arguments = [
        *("run", str(script), "--server.port", str(port), "--server.address", address),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
    ]
    click.echo(f"scorecard on http://{address}:{port} (stop with Ctrl-C)")
    os.chdir(script.parent)
    os.execve(sys.executable, [sys.executable, "-m", "streamlit", *arguments], env)  # noqa: S606 - our own arguments


@main.command()
@_json
def path(*, as_json: bool) -> None:
    """Print the path of the current snapshot."""
    from opsmetrics.snapshot import current

    found = current(_settings().snapshots)
    facts = {"path": str(found.path), "build_id": found.build_id, "published_at": found.published_at}
    click.echo(json.dumps(facts) if as_json else found.path)


@main.command()
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, form: str) -> None:
    """Run QUERY on the current snapshot, read-only.

    Example: opsmetrics sql "from marts.scorecard"
    """
    import duckdb

    from opsmetrics.snapshot import open_current

    with open_current(_settings().snapshots) as con:
        try:
            relation: Any = con.sql(query)
            if relation is None:
                return
            if form == "table":
                relation.show(max_rows=1000, max_width=10_000)
            elif form == "csv":
                click.echo(relation.pl().write_csv(), nl=False)
            else:
                click.echo(relation.pl().write_json())
        except duckdb.Error as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_USAGE)


@main.command()
@click.option("--team", "teams", multiple=True, help="Only this team (repeatable).")
@click.option("--format", "form", type=click.Choice(["json", "openmetrics"]), default="json", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here, whole or not at all.")
@click.option("--min-score", type=float, help="Wish: every team's score is at least this.")
@click.option("--min-level", type=int, help="Wish: every team's level is at least this.")
@click.option("--min-coverage", type=float, help="Wish: every team's coverage (0..1) is at least this.")
@click.option("--no-gate", is_flag=True, help="Wish: no gate is tripped.")
def results(
    teams: tuple[str, ...],
    form: str,
    out: Path | None,
    min_score: float | None,
    min_level: int | None,
    min_coverage: float | None,
    *,
    no_gate: bool,
) -> None:
    """Print today's scores for other programs; with wishes, end with 3 where one is missed, 4 where one cannot be told.

    Example: opsmetrics results --team sjokart --min-level 2 --no-gate
    """
    from opsmetrics import results as told
    from opsmetrics.snapshot import open_current
    from opsmetrics.whole import write_whole_text

    with open_current(_settings().snapshots) as con:
        found = told.read_results(con, teams)
    verdicts = told.judge(found, told.Wishes(min_score, min_level, min_coverage, no_gate))
    if form == "openmetrics":
        text = told.openmetrics(found)
    else:
        text = json.dumps(found | {"verdicts": verdicts}, ensure_ascii=False, indent=1) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        # A collector reads it every fifteen seconds and must never see half of it.
        write_whole_text(out, text)
    for verdict in verdicts:
        if verdict["verdict"] != told.MET:
            wish = f"{verdict['team_id']}: {verdict['wish']} is {verdict['found']}, wanted {verdict['wanted']}"
            click.echo(f"{verdict['verdict']}: {wish}", err=True)
    said = {verdict["verdict"] for verdict in verdicts}
    if told.MISSED in said:
        sys.exit(EXIT_MISSED)
    if told.UNKNOWN in said:
        sys.exit(EXIT_UNKNOWN)


for _command in (
    *(configuring.import_, meeting.brief, meeting.digest),
    *(upkeep.backup, upkeep.restore, upkeep.restore_test, upkeep.compact, upkeep.export, upkeep.health),
):
    main.add_command(_command)

if __name__ == "__main__":
    main()
