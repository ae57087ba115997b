"""Every shipped KQL query is held against Microsoft's own language service, and uses only what the services allow."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

from opsmetrics.sources.azure import graph, logs
from opsmetrics.sources.azure.client import rendered
from opsmetrics.sources.fetching import FetchRequest

# Columns of the tables that the queries name, as Microsoft documents them (contracts, A, C1, E2, F, G).
LOG_ANALYTICS = {
    "AppAvailabilityResults": "(TimeGenerated:datetime, _TimeReceived:datetime, Id:string, Name:string, Location:string,"
    " Success:bool, Message:string, Size:real, DurationMs:real, PerformanceBucket:string, Properties:dynamic,"
    " Measurements:dynamic, OperationName:string, OperationId:string, AppRoleName:string, AppRoleInstance:string,"
    " AppVersion:string, ClientType:string, ResourceGUID:string, SDKVersion:string, ItemCount:int,"
    " SyntheticSource:string, _ResourceId:string)",
    "AppRequests": "(TimeGenerated:datetime, _TimeReceived:datetime, Id:string, Source:string, Name:string, Url:string,"
    " Success:bool, ResultCode:string, DurationMs:real, PerformanceBucket:string, Properties:dynamic,"
    " OperationName:string, OperationId:string, SyntheticSource:string, AppRoleName:string, AppRoleInstance:string,"
    " ClientType:string, ClientModel:string, ResourceGUID:string, SDKVersion:string, ItemCount:int, _ResourceId:string)",
    "availabilityResults": "(timestamp:datetime, id:string, name:string, location:string, success:string, message:string,"
    " size:real, duration:real, itemCount:int, cloud_RoleName:string, client_Type:string, appId:string, appName:string)",
    "requests": "(timestamp:datetime, id:string, name:string, url:string, success:string, resultCode:string,"
    " duration:real, itemCount:int, cloud_RoleName:string, client_Type:string, operation_SyntheticSource:string,"
    " customDimensions:dynamic, appId:string, appName:string)",
    "AzureDiagnostics": "(TimeGenerated:datetime, Category:string, Resource:string, ResourceType:string,"
    " OperationName:string, ResultType:string, _ResourceId:string)",
    "AddonAzureBackupJobs": "(TimeGenerated:datetime, JobUniqueId:string, JobOperation:string, JobStatus:string,"
    " JobStartDateTime:datetime, JobDurationInSecs:int, JobFailureCode:string, RecoveryJobDestination:string,"
    " RecoveryJobRPDateTime:datetime, DatasourceResourceId:string, _ResourceId:string)",
}
_RESOURCE = (
    "(id:string, name:string, type:string, tenantId:string, location:string, resourceGroup:string,"
    " subscriptionId:string, properties:dynamic, tags:dynamic, identity:dynamic, zones:dynamic)"
)
RESOURCE_GRAPH = dict.fromkeys(
    (
        "resources",
        "resourcecontainers",
        "alertsmanagementresources",
        "recoveryservicesresources",
        "securityresources",
        "patchassessmentresources",
    ),
    _RESOURCE,
)
FOLDER = Path(__file__).resolve().parents[2] / "opsmetrics" / "sources" / "azure"
QUERIES = sorted(path.stem for path in FOLDER.glob("*.kql"))
ORACLE = Path(sys.prefix) / "oracles" / "npm" / "kusto-language-service-next"
WORDS = {"bin": 5, "threshold": "500"}
# Contracts, C1: what Resource Graph's page lists.
GRAPH_OPERATORS = {
    *("FilterOperator", "ExtendOperator", "ProjectOperator", "ProjectAwayOperator", "SummarizeOperator"),
    *("MvExpandOperator", "SortOperator", "TopOperator", "TakeOperator", "DistinctOperator", "CountOperator"),
    *("JoinOperator", "UnionOperator"),
}
PRELUDE = """
var global = globalThis; var process = {[Symbol.toStringTag]: 'process', stdout: {write: function () {}}};
var console = {log: function () {}, error: function () {}, warn: function () {}, info: function () {}};
var module = {exports: {}}; var require = function () { return {}; };
"""
CHECK = """
function check(text, schema) {
  const K = Kusto.Language, S = K.Symbols;
  const list = l => Array.from({length: System.Array.getCount(l)}, (_, i) => System.Array.getItem(l, i));
  const tables = Object.entries(schema).map(([n, s]) => S.TableSymbol.From(s).WithName(n));
  const globals = K.GlobalState.Default.WithDatabase(new S.DatabaseSymbol.ctor('Database', tables));
  const code = K.KustoCode.ParseAndAnalyze(text, globals);
  const operators = [];
  K.Syntax.SyntaxElement.WalkElements(code.Syntax, e => {
    const name = Bridge.getTypeName(e).split('.').pop();
    if (name.endsWith('Operator')) { operators.push(name); }
    if (name === 'FunctionCallExpression') { operators.push('fn ' + e.Name.SimpleName); }
  });
  const result = code.ResultType;
  return JSON.stringify({
    problems: list(code.GetDiagnostics()).map(d => d.Code + ' ' + d.Message),
    operators: operators,
    columns: result && result.Columns ? list(result.Columns).map(c => [c.Name, c.Type.Name]) : [],
  });
}
"""


@pytest.fixture(scope="module")
def kusto():
    """Return the language service as a function of query and schema; it runs in V8, without Node."""
    engine = MiniRacer()
    engine.eval(PRELUDE)
    for name in ("bridge.js", "Kusto.Language.Bridge.js"):
        engine.eval((ORACLE / name).read_text(encoding="utf-8"))
    engine.eval(CHECK)
    return lambda text, schema: json.loads(engine.call("check", text, schema))


def schema_of(text: str) -> dict[str, str]:
    return LOG_ANALYTICS if text.split("\n", 1)[0] in LOG_ANALYTICS else RESOURCE_GRAPH


def text_of(name: str) -> str:
    return rendered(name, datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC), **WORDS)


@pytest.mark.parametrize("name", QUERIES)
def test_the_language_service_finds_nothing_wrong(kusto, name):
    text = text_of(name)
    assert "$" not in text, "a word was not filled in"
    assert kusto(text, schema_of(text))["problems"] == []


def test_the_language_service_would_find_what_is_wrong(kusto):
    found = kusto("AppRequests | where TimeGenereated > datetime(2026-01-01) | summarize sum(Success)", LOG_ANALYTICS)
    assert {problem.split()[0] for problem in found["problems"]} >= {"KS142"}
    assert kusto("NoSuchTable | take 1", LOG_ANALYTICS)["problems"]


@pytest.mark.parametrize("name", [name for name in QUERIES if schema_of(text_of(name)) is RESOURCE_GRAPH])
def test_resource_graph_queries_page_and_use_its_subset(kusto, name):
    text = text_of(name)
    found = kusto(text, RESOURCE_GRAPH)
    operators = {item for item in found["operators"] if not item.startswith("fn ")}
    assert operators <= GRAPH_OPERATORS
    assert "id" in {column for column, _ in found["columns"]}, "without id there is no next page"
    assert re.search(r"\| order by id asc", text), "pages repeat only in a fixed order"


@pytest.mark.parametrize("name", [name for name in QUERIES if schema_of(text_of(name)) is LOG_ANALYTICS])
def test_log_queries_begin_with_their_window(kusto, name):
    lines = text_of(name).splitlines()
    assert re.match(r"\| where (TimeGenerated|timestamp) >= datetime\(", lines[1]), "the first filter is the window"
    functions = {item for item in kusto(text_of(name), LOG_ANALYTICS)["operators"] if item.startswith("fn ")}
    assert not functions & {"fn ago", "fn now", "fn workspace", "fn app"}


@pytest.mark.parametrize("name", ["availability", "requests", "availability_classic", "requests_classic"])
def test_sampled_tables_are_summed_by_item_count(name):
    assert "sum(itemcount)" in text_of(name).lower()
    assert not re.search(r"(?<!StoredRows = )count\(\)", text_of(name))


SOURCES = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["latency_daily"]
url = "$SIMULATOR/logs"
workspaces = ["33333333-3333-3333-3333-333333333333"]

[[connector]]
name = "graph"
kind = "azure_resources"
streams = ["alerts"]
url = "$SIMULATOR/arm"
subscriptions = ["11111111-1111-1111-1111-111111111111"]
"""


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_runs_for_real_through_the_real_client(connected, name):
    settings, organisation = connected(SOURCES)
    connectors = {connector.name: connector for connector in organisation.sources.connector}
    is_log = schema_of(text_of(name)) is LOG_ANALYTICS
    connector = connectors["logs" if is_log else "graph"]
    start = datetime(2026, 11, 12, 23, tzinfo=UTC)
    days = (date(2026, 11, 13), date(2026, 11, 16))
    ask = FetchRequest.make(
        settings, organisation, connector, connector.streams[0], days, datetime(2026, 11, 23, 6, tzinfo=UTC)
    )
    if is_log:
        rows, whole = logs._query(ask, name, start, start + timedelta(days=3), **WORDS)
        assert whole
    else:
        rows = graph.query(ask, name, connector.url, connector.subscriptions)
    assert rows, "a query that finds nothing in the simulated organisation proves nothing"


@pytest.mark.parametrize("module", ["logs.py", "resources.py"])
def test_connectors_read_only_columns_that_the_queries_return(kusto, module):
    """What Python reads by name is what the service returns: a renamed column is found here, not on Monday."""
    tables = LOG_ANALYTICS if module == "logs.py" else RESOURCE_GRAPH
    texts = [text for name in QUERIES if schema_of(text := text_of(name)) is tables]
    known = {column for text in texts for column, _ in kusto(text, tables)["columns"]}
    read = set(re.findall(r'row\["(\w+)"\]', (FOLDER / module).read_text(encoding="utf-8")))
    assert read
    # The names that are not Azure's: rows of ours that are filtered afterwards, the scope of a classic query.
    assert read - {"service_id"} <= known
