"""How is the score made, what do colours and marks mean, what must it not be used for?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.language import fmt
from opsmetrics.language.bilingual import Text
from opsmetrics.reports import board
from opsmetrics.reports.addresses import ABOUT, METRIC
from opsmetrics.reports.table import Cell, Column, Source, Table
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Metric, Obligation, RuleChange
from scorecard_app.later import later_table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import Markup, element, heading, join, lead, paragraph, points
from scorecard_app.matrix import legend
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import metrics_by_id, source

STEPS = 5
NOT_FOR = ("rank", "people", "compare")
LIMITS = ("floor", "krav", "mal")  # in the metric's own unit


@view(ABOUT)
def render(page: Page) -> None:
    """Show the method in plain language."""
    head(page, page.text("about.title"))
    edges = catalogue.rules(page.snapshot).level_edges
    show(
        join(
            lead(page.text("about.lead")),
            *_own_rules(page),
            heading(page.text("about.steps")),
            element("ol", (element("li", page.text(f"about.step{number}")) for number in range(1, STEPS + 1))),
            heading(page.text("about.example")),
            paragraph(page.text("about.example_text"), kind="equation"),
            heading(page.text("about.levels")),
            table_html(page, _levels(page, edges)),
            legend(page.language, edges),
            heading(page.text("about.variation")),
            paragraph(page.text("about.variation_text")),
            heading(page.text("about.coverage")),
            paragraph(page.text("about.coverage_text")),
            heading(page.text("about.not_for")),
            points(page.text(f"about.not_for_{name}") for name in NOT_FOR),
        )
    )
    _obligations(page)


def _own_rules(page: Page) -> tuple[Markup, ...]:
    """In what the rules differ from the shipped ones, where they do."""
    changes = tuple(catalogue.rule_changes(page.snapshot))
    if not changes:
        return ()
    metrics = metrics_by_id(page)
    areas = {area.area_id: page.say(area.name) for area in catalogue.areas(page.snapshot)}

    def named(change: RuleChange) -> Cell:
        if change.subject_id in metrics:
            title = page.say(metrics[change.subject_id].title)
            return Cell(title, address=METRIC.at(metric=change.subject_id))
        return Cell(areas.get(change.subject_id, page.text("about.own_method")))

    rows = tuple(
        (
            named(change),
            Cell(page.text("about.own_metric") if change.kind == "own_metric" else _setting(page, change.setting)),
            Cell(_number(page, metrics.get(change.subject_id), change.setting, change.shipped)),
            Cell(_number(page, metrics.get(change.subject_id), change.setting, change.own)),
        )
        for change in changes
    )
    keys = ("about.own_subject", "about.own_setting", "about.own_shipped", "about.own_here")
    columns = tuple(Column(page.text(key)) for key in keys)
    version = page.organisation.ruleset_version
    table = Table("own-rules", page.text("about.own_caption"), columns, rows, source=source("rule_changes"))
    why = next((change.why for change in changes if change.kind != "own_metric" and change.why), "")
    return (
        heading(page.text("about.own_rules")),
        paragraph(page.text("about.own_text", version=version, base=version.partition("+")[0])),
        *((paragraph(why),) if why else ()),
        table_html(page, table),
    )


def _setting(page: Page, name: str) -> str:
    """What a number of the rules is called."""
    key = {"krav": "word.krav", "mal": "word.target", "weight": "word.weight"}.get(name)
    return page.text(key or f"setting.{name}")


def _number(page: Page, metric: Metric | None, setting: str, written: str | None) -> str:
    """A number of the rules as the language writes it; of a metric of one's own there is none."""
    if written in {None, "none"} or setting == "sql":
        return fmt.MISSING
    if setting == "window":
        return page.text("metric.window_days", days=int(str(written).removesuffix("d")))
    numbers = [float(each) for each in str(written).strip("[]").split(", ")]
    if metric is not None and setting in LIMITS:
        return ", ".join(fmt.metric_value(page.language, metric.unit, each) for each in numbers)
    return ", ".join(fmt.exact(page.language, each) for each in numbers)


def _levels(page: Page, edges: Sequence[float]) -> Table:
    rows = tuple(
        (Cell(page.text(f"level.{level}")), Cell(spread), Cell(page.text(f"about.level_{level}")))
        for level, spread in enumerate(board.ranges(edges))
    )
    columns = tuple(Column(page.text(key)) for key in ("word.level", "word.score", "about.means"))
    return Table("levels", page.text("about.levels_caption"), columns, rows)


def _obligations(page: Page) -> None:
    """The handbook's sentences and what measures them."""
    file, duties = source("obligations"), catalogue.obligations(page.snapshot)
    words = page.text("about.obligations_show", count=len(duties))
    part = later_table(page, "duties", words, lambda: _obligations_table(page, duties, file), file)
    show(join(heading(page.text("about.obligations")), part))


def _obligations_table(page: Page, duties: Sequence[Obligation], file: Source) -> Table:
    metrics, unscored = metrics_by_id(page), catalogue.unscored_titles(page.snapshot)
    rows = tuple(
        (
            Cell(page.say(duty.text), link=duty.link or ""),
            Cell(page.text(f"about.strength_{duty.strength}")),
            _measured_by(page, duty, metrics, unscored),
        )
        for duty in duties
    )
    keys = ("about.sentence", "about.strength", "about.measured_by")
    columns = tuple(Column(page.text(key)) for key in keys)
    return Table("obligations", page.text("about.obligations_caption"), columns, rows, source=file)


def _measured_by(page: Page, duty: Obligation, metrics: Mapping[str, Metric], unscored: Mapping[str, Text]) -> Cell:
    """The metrics by their titles; what gives no points has one too."""
    if not duty.measured_by:
        return Cell(page.text("about.measured_by_scores"))
    known = {**unscored, **{name: metric.title for name, metric in metrics.items()}}
    titles = {name: page.say(known[name]) if name in known else name for name in duty.measured_by}
    links = (
        page.link(METRIC.at(metric=name), title) if name in metrics else join(title) for name, title in titles.items()
    )
    return Cell(", ".join(titles.values()), drawing=join(*links, by=", "))
