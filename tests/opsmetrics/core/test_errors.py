"""Errors can be printed wherever they are shown, whatever a file name or a library put into them."""

from __future__ import annotations

from opsmetrics.core.errors import OpsMetricsError, Problem, one_line, printable


def test_an_error_steers_no_terminal_and_can_be_written():
    said = str(Problem("data/\udcff\x1b[2J.csv", 3, "type \x0f, \u202eright to left", "mend\tit"))
    said.encode()
    assert said == "data/??[2J.csv:3: type ?, ?right to left\n    fix: mend?it"
    assert printable("Ærlig – «talt»\n  på to linjer") == "Ærlig – «talt»\n  på to linjer"
    assert str(OpsMetricsError("bac\x1b]0;kup\n    fix: y")) == "bac?]0;kup\n    fix: y"
    assert one_line("organisation/a\nall is well: x") == "organisation/a?all is well: x"
