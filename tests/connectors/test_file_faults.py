"""Files of other programs with single values of another kind, doubled or gone: set aside, or told in one line.

What the fault switch is to answers over HTTP (test_faults.py), for files.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from datetime import date

import pytest

from opsmetrics.organisation import load_organisation
from opsmetrics.sources.pull import pull_stream
from simulator.servers.faults import change, scrambled
from simulator.servers.records import PLANTED
from simulator.servers.reports import write_reports
from tests.conftest import settings_in
from tests.connectors.sections import FLUX, K6, SCANS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
WINDOW = (date(2026, 11, 9), date(2026, 11, 12))
SUBJECTS = {
    ("trivy", "vulnerabilities"): "scans/trivy",
    ("grype", "vulnerabilities"): "scans/grype",
    ("k6", "load_tests"): "k6",
    ("flux", "deployments"): "flux",
}


@pytest.fixture
def asked(small, tmp_path, records):
    """Lay a few good files of a subject, pull it, and return the result; the small organisation has other services."""
    reports = tmp_path / "reports"
    write_reports(records, reports, *WINDOW)
    text = (SCANS + K6 + FLUX).replace("2026-10-24", "2026-07-01")
    (small / "sources.toml").write_text(text)
    settings_file = small / "organisation.toml"
    settings_file.write_text(settings_file.read_text().replace("2026-09-02", "2026-11-23"))
    (small / "scans").mkdir()
    shutil.copy(reports / "scans" / "known-exploited.json", small / "scans")

    def ask(subject, broken: object):
        origin, stream = subject
        folder = small / SUBJECTS[subject]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        good = sorted(path for path in (reports / SUBJECTS[subject]).iterdir() if "{" in path.read_text()[:1])[:3]
        for path in good:
            shutil.copy(path, folder)
        if broken is not None:
            (folder / good[0].name).write_text(json.dumps(broken))
        settings = settings_in(tmp_path)
        shutil.rmtree(settings.home, ignore_errors=True)
        (result,) = pull_stream(settings, load_organisation(small), stream, WINDOW, origins=(origin,))
        return result

    def first(subject) -> object:
        files = sorted((reports / SUBJECTS[subject]).iterdir())
        return json.loads(files[0].read_text().splitlines()[0])

    ask.first = first
    return ask


@pytest.mark.parametrize("subject", SUBJECTS, ids="/".join)
def test_values_of_another_kind(asked, subject):
    refused = 0
    for seed in range(EXAMPLES):
        result = asked(subject, scrambled(asked.first(subject), random.Random(seed)))
        if result.error is not None:
            refused += 1
            first, *rest = result.error.splitlines()
            assert subject[0] in first or "source" in first
            assert len(rest) == 1
            assert rest[0].strip().startswith("fix: ")
            assert len(first) < 300
            assert not re.search(r"Traceback|\{", result.error)
            assert not [planted for planted in PLANTED.values() if planted in result.error]
    assert refused


@pytest.mark.parametrize("kind", ["drift", "empty", "duplicate"])
@pytest.mark.parametrize("subject", SUBJECTS, ids="/".join)
def test_another_form(asked, subject, kind):
    whole = asked(subject, None)
    assert whole.error is None
    broken = asked(subject, change(kind, asked.first(subject)))
    if kind == "drift":
        assert "is only a part" in broken.error
    elif broken.error is None:
        assert broken.rows <= whole.rows
