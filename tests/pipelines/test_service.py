"""The scheduled service: when things run, what starts a build, what is told in a chat, and what never is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from assets.keys import key_of
from assets.resources import Workspace
from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.operations.health import Issue, issues
from opsmetrics.operations.notify import MOST_LINES, Message, NotifyError, post, slack, teams
from opsmetrics.sources import pull_stream
from opsmetrics.streams import STREAMS
from pipelines.definitions import build_definitions, build_graph
from pipelines.schedules import schedules
from pipelines.sensors import build_sensor, tell_failed_runs, tell_what_is_wrong
from tests.listening import listening

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
SECRET = "webhook-secret-path"  # noqa: S105 - what must not be told


@pytest.fixture
def chat():
    """A webhook on loopback: what was posted to it, and the statuses that it answers next; the last one stays."""
    posted: list[dict] = []
    answers = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        def log_message(self, *_):
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with listening(server) as address:
        yield f"{address}/{SECRET}", posted, answers


@pytest.fixture
def workspace(small, tmp_path, monkeypatch, chat) -> Workspace:
    monkeypatch.setenv("OPSMETRICS_WEBHOOK_URL", chat[0])
    monkeypatch.setenv("OPSMETRICS_RETRY_SECONDS", "0")
    monkeypatch.setenv("OPSMETRICS_PUBLIC_URL", "https://ops.example.org/")
    monkeypatch.setenv("OPSMETRICS_DAGSTER_URL", "https://dagster.example.org")
    return Workspace(home=str(tmp_path / "home"), org=str(small))


def publish(workspace: Workspace) -> None:
    context = workspace.context()
    for name in context.organisation.streams:
        pull_stream(context.settings, context.organisation, name)
    plans.build_and_publish(context)


@pytest.mark.parametrize(
    ("name", "instant", "day"),
    [
        ("pull_daily_schedule", "2026-09-02T04:30:00+02:00", "2026-09-01"),
        # The night of 25 hours, and the one of 23: yesterday is the day before on the calendar.
        ("pull_daily_schedule", "2026-10-25T04:30:00+01:00", "2026-10-24"),
        ("pull_daily_schedule", "2026-03-29T04:30:00+02:00", "2026-03-28"),
        ("pull_hourly_schedule", "2026-09-02T06:10:00+02:00", "2026-09-02"),
        ("pull_hourly_schedule", "2026-09-02T22:10:00+02:00", "2026-09-02"),
    ],
)
def test_pulls_ask_for_the_right_local_day(name, instant, day):
    schedule = next(item for item in schedules() if item.name == name)
    at = datetime.fromisoformat(instant)
    repository = build_definitions().get_repository_def()
    with dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository) as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == day
    assert request.tags["opsmetrics/window"] == day


def test_every_asset_says_when_it_must_be_made_again():
    graph = build_definitions().resolve_asset_graph()
    ours = graph.materializable_asset_keys
    without = [key.to_user_string() for key in ours if graph.get(key).freshness_policy is None]
    assert without == []


def test_every_stream_and_table_has_a_check():
    graph = build_definitions().resolve_asset_graph()
    checked = {key.asset_key for key in graph.asset_check_keys}
    unchecked = {key.to_user_string() for key in graph.materializable_asset_keys - checked}
    # Reference tables and scores are checked by the build itself; a backup by the test of it.
    assert {name for name in unchecked if not name.startswith("scores/")} == {"meta/reference"}


def test_new_loads_start_one_build(workspace):
    with dg.instance_for_test() as instance:
        sensor = build_sensor("build_and_publish")

        def tick(cursor):
            with dg.build_sensor_context(instance, cursor=cursor, resources={"workspace": workspace}) as context:
                return sensor.evaluate_tick(context)

        cursor = tick(None).cursor
        assert tick(cursor).run_requests == []
        organisation = workspace.context().organisation
        pull_stream(workspace.settings(), organisation, "incidents")
        busy = instance.create_run_for_job(
            build_definitions(workspace).resolve_job_def("build_and_publish"), status=dg.DagsterRunStatus.STARTED
        )
        waiting = tick(cursor)
        assert waiting.run_requests == []
        assert "under way" in waiting.skip_message
        instance.delete_run(busy.run_id)
        found = tick(cursor)
        assert len(found.run_requests) == 1
        # A pull that finds nothing new starts nothing.
        pull_stream(workspace.settings(), organisation, "incidents")
        assert tick(found.cursor).run_requests == []


def test_what_is_wrong_is_told_once_and_so_is_its_end(workspace, small, chat):
    _, posted, answers = chat
    (small / "data/deployments.csv").rename(small / "data/elsewhere.csv")
    publish(workspace)

    def tick(cursor):
        with dg.build_sensor_context(cursor=cursor, resources={"workspace": workspace}) as context:
            return tell_what_is_wrong.evaluate_tick(context)

    answers[0] = 503
    failed = tick(None)
    assert "did not take" in failed.skip_message
    assert SECRET not in failed.skip_message
    assert failed.cursor == "{}"
    answers[0] = 200
    posted.clear()
    first = tick(failed.cursor)
    (message,) = posted
    assert "deployments from files" in json.dumps(message)
    assert "https://ops.example.org/datakvalitet" in json.dumps(message)
    assert tick(first.cursor).skip_message == "nothing new; 1 known"
    (small / "data/elsewhere.csv").rename(small / "data/deployments.csv")
    publish(workspace)
    second = tick(first.cursor)
    assert "well again" in posted[-1]["text"]
    assert json.loads(second.cursor) == {}
    assert len(posted) == 2


def test_what_a_chat_took_is_not_sent_again_because_it_refused_the_next(workspace, chat, monkeypatch):
    _, posted, answers = chat
    monkeypatch.setattr("pipelines.sensors.issues", lambda *_: [Issue("late", "a source that is late")])
    answers[:] = [200, 503]

    def tick(cursor):
        with dg.build_sensor_context(cursor=cursor, resources={"workspace": workspace}) as context:
            return tell_what_is_wrong.evaluate_tick(context)

    half = tick(json.dumps({"gone": "a source that is well again"}))
    assert "did not take" in half.skip_message
    posted.clear()
    answers[:] = [200]
    whole = tick(half.cursor)
    (message,) = posted
    assert "well again" in message["text"]
    assert json.loads(whole.cursor) == {"late": "a source that is late"}


def test_a_failed_run_is_told_with_step_reason_and_link(workspace, small, chat):
    _, posted, _ = chat
    (small / "services.toml").write_text("[[service]]\nid = 3\n")
    definitions = build_definitions(workspace)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("build_and_publish").execute_in_process(
            instance=instance, raise_on_error=False
        )
        failure = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=failure,
            resources={"workspace": workspace},
        ).for_run_failure()
        tell_failed_runs(context)
    (message,) = posted
    said = json.dumps(message)
    assert "build_and_publish failed" in said
    assert "services.toml" in said
    assert f"https://dagster.example.org/runs/{result.dagster_run.run_id}" in said
    assert SECRET not in said


def test_messages_are_plain_text_and_bounded():
    hostile = Message(
        "<!channel> & more", tuple(f"*x* [a](http://b) <@U1> {n}" for n in range(50)), "https://x.example"
    )
    blocks = slack(hostile)
    assert blocks["text"] == "&lt;!channel&gt; &amp; more"
    assert all(block["text"]["type"] == "plain_text" for block in blocks["blocks"][:-1])
    assert len(blocks["blocks"]) == MOST_LINES + 3
    card = teams(hostile)["attachments"][0]["content"]
    assert all(item["type"] == "RichTextBlock" for item in card["body"])
    assert card["body"][-1]["inlines"][0]["text"] == "... and 30 more"


def test_the_webhook_is_no_secret_spilled(chat, tmp_path):
    url, _, answers = chat
    settings = Settings(tmp_path, tmp_path, None, None, default_sql_root(), webhook_url=url, retry_seconds=0)
    assert SECRET not in repr(settings)
    assert post(settings, Message("x"))
    answers[0] = 404
    with pytest.raises(NotifyError, match="404") as refused:
        post(settings, Message("x"))
    with pytest.raises(NotifyError, match="ConnectError") as dead:
        post(replace(settings, webhook_url=f"http://127.0.0.1:9/{SECRET}"), Message("x"))
    assert SECRET not in f"{refused.value}{dead.value}{dead.value.__cause__}"
    assert not post(replace(settings, webhook_url=None), Message("x"))


def test_issues_name_the_snapshot_first(workspace, first_run):
    settings = workspace.settings()
    (none,) = issues(settings, NOW)
    assert "no snapshot" in none.text
    shutil.copytree(first_run / "home", settings.home, symlinks=True, dirs_exist_ok=True)
    assert issues(settings, NOW) == []
    (old,) = issues(settings, datetime(2026, 9, 4, tzinfo=UTC))
    assert "2026-09-02 06:00" in old.text


def test_a_quiet_source_that_never_was_is_unusual(workspace, small):
    """It answers, in good form, with next to nothing: the check warns, the build goes on."""
    checks = small / "data/checks/2026-09-01.csv"
    checks.write_text("\n".join(checks.read_text().splitlines()[:3]) + "\n")
    definitions = build_definitions(workspace)
    with dg.DagsterInstance.ephemeral() as instance:
        organisation = workspace.context().organisation
        for name in organisation.streams:
            pull_stream(workspace.settings(), organisation, name)
        result = definitions.resolve_job_def("build_and_publish").execute_in_process(instance=instance)
    (unusual,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (unusual.check_name, unusual.asset_key.path[1]) == ("rows_as_usual", "availability_checks")
    assert unusual.severity == dg.AssetCheckSeverity.WARN
    assert "2 rows, where 48 a day are usual" in str(unusual.metadata["found"].value)


def test_the_same_stream_is_never_pulled_twice_at_once():
    for pull in build_graph().pulls:
        assert pull.op.pool == f"pull_{pull.key.path[1]}"
    assert key_of("landing.alerts").path == ["landing", "alerts"]
    assert len(build_graph().pulls) == len(STREAMS)
