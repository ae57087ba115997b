"""Where the handbook is read: an address of the whole, of an area, of a duty; checked, and nowhere without one."""

from __future__ import annotations

import pytest

from opsmetrics.build import load_context
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.warehouse.reference import rules
from tests.conftest import write_small

WHOLE = "https://intranet.example.org/handbook"


def configured(folder, words):
    write_small(folder)
    with (folder / "organisation.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[handbook]\n{words}\n")
    return folder


def settings_of(folder):
    return Settings(home=folder / "home", org=folder, data=None, now=None, sql=default_sql_root())


def linked(folder):
    context = load_context(settings_of(folder))
    return {row["obligation_id"]: row["link"] for row in rules.obligations(context.catalogue, context.organisation)}


def test_a_duty_leads_to_its_own_section_else_to_its_area_else_to_the_whole(tmp_path):
    words = f'address = "{WHOLE}"\nsections = {{ mon = "{WHOLE}#seen", O11 = "{WHOLE}?page=3#all-the-time" }}'
    found = linked(configured(tmp_path, words))
    assert found["O11"] == f"{WHOLE}?page=3#all-the-time"
    assert found["O12"] == f"{WHOLE}#seen"
    assert found["O01"] == WHOLE
    assert None not in found.values()


def test_without_an_address_there_is_no_link(tmp_path):
    assert set(linked(write_small(tmp_path)).values()) == {None}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://intranet.example.org/handbook", "https"),
        ("https://user:word@intranet.example.org/", "no user and no password"),
        ("javascript:alert(1)", "an https address"),
        ("https://intranet.example.org/{id}", "no braces"),
        ("https://intranet.example.org/a b", "no address has"),
        ('https://intranet.example.org/\\"onclick', "no address has"),
    ],
)
def test_what_is_no_address_is_refused_with_its_line(tmp_path, address, said):
    with pytest.raises(ConfigurationError) as caught:
        load_organisation(configured(tmp_path, f'address = "{address}"'))
    [problem] = caught.value.problems
    assert problem.file.endswith("organisation.toml")
    assert problem.line
    assert said in f"{problem.message} {problem.fix}"


def test_a_section_of_nothing_is_an_error_with_its_line(tmp_path):
    folder = configured(tmp_path, f'[handbook.sections]\nO111 = "{WHOLE}"')
    with pytest.raises(ConfigurationError) as caught:
        load_context(settings_of(folder))
    [problem] = caught.value.problems
    assert "'O111', which is neither a duty nor an area" in problem.message
    assert (folder / "organisation.toml").read_text().splitlines()[problem.line - 1].startswith("O111")
