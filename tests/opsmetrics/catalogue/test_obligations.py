"""Every sentence of the handbook is measured, and every measure is of a sentence."""

import pytest

from opsmetrics.catalogue.obligations import Obligation, check_obligations, load_obligations
from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.settings import default_sql_root

TEXT = {"nb": "Skal", "en": "Shall"}


def duty(name, measured_by="headers"):
    return Obligation(id=name, area="inc", text=TEXT, strength="shall", measured_by=measured_by)


def test_all_covered(tmp_path):
    check_obligations((duty("O01"), duty("O02", "scores")), {"inc_x": ["O01"]}, tmp_path)


@pytest.mark.parametrize(
    ("duties", "measured", "message"),
    [
        (["O01", "O02"], {"inc_x": ["O01"]}, "nothing measures O02"),
        (["O01"], {"inc_x": ["O01", "O99"]}, "inc_x: obligations names O99"),
        (["O01"], {"inc_x": ["O01"], "inc_y": []}, "inc_y: obligations names nothing"),
    ],
)
def test_gaps_are_named(tmp_path, duties, measured, message):
    with pytest.raises(SqlFileError, match=message):
        check_obligations(tuple(duty(name) for name in duties), measured, tmp_path)


def test_every_gap_is_told_at_once(tmp_path):
    with pytest.raises(SqlFileError) as error:
        check_obligations((duty("O01"), duty("O02")), {"inc_x": ["O77"]}, tmp_path)
    assert all(name in str(error.value) for name in ("O77", "O01", "O02"))


def test_a_sentence_that_stands_twice_is_refused(tmp_path):
    shipped = (default_sql_root() / "metrics" / "obligations.toml").read_text(encoding="utf-8")
    first = shipped.index("[[obligation]]")
    second = shipped.index("[[obligation]]", first + 1)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "obligations.toml").write_text(shipped + "\n" + shipped[first:second], encoding="utf-8")
    with pytest.raises(SqlFileError, match="more than once"):
        load_obligations(tmp_path)
