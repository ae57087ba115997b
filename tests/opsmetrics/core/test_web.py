"""Which addresses a secret may be sent to, and what of one is said."""

from __future__ import annotations

import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import expand
from opsmetrics.core.web import checked, is_loopback, shown, without_secrets

SECRET = "hunter2-plantet"  # noqa: S105 - invented
FINE = [
    "https://ops.example.org",
    "https://ops.example.org:8443/api/v1",
    "https://[2001:db8::1]:8443/api",
    "http://127.0.0.1:8080/api",
    "http://127.9.9.9",
    "http://localhost:3000",
    "http://LOCALHOST:3000",
    "http://[::1]:9090/x",
    "https://host/path@with-at/x",
]
REFUSED = [
    f"https://user:{SECRET}@ops.example.org",
    f"https://{SECRET}@ops.example.org/api",
    f"https:/{SECRET}@ops.example.org/api",
    f"https:\\\\u:{SECRET}@ops.example.org/api",
    f"https://ops.example.org/feed?key={SECRET}",
    f"https://ops.example.org/feed#{SECRET}",
    "http://ops.example.org",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1:80@evil.example",
    "http://127.0.0.1\\@evil.example",
    "http://127.0.0.1#@evil.example",
    "http://[::ffff:192.0.2.1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::127.0.0.1]",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://127.1",
    "http://0.0.0.0",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://localhost\uff0eevil.example",
    "http://local\thost",
    " https://ops.example.org",
    "https://ops.example.org\n",
    "https://",
    "https:///etc",
    "HTTP://evil.example",
    "ftp://ops.example.org",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://ops.example.org/a b",
    "https://bl\u00e5b\u00e6r.example",
]


@pytest.mark.parametrize("address", FINE)
def test_a_plain_address_is_taken_as_it_stands(address):
    assert checked(address) == address
    assert checked(f"{address}/") == address


@pytest.mark.parametrize("address", REFUSED)
def test_any_other_is_refused_and_nothing_secret_is_repeated(address):
    with pytest.raises(ValueError, match="address") as refused:
        checked(address)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("address", REFUSED)
def test_what_a_variable_fills_in_is_checked_too(address):
    with pytest.raises(ConfigurationError, match="GRAFANA") as refused:
        expand("$GRAFANA/api", {"GRAFANA": address})
    assert SECRET not in str(refused.value)


def test_a_variable_cannot_be_continued_into_another_host():
    with pytest.raises(ConfigurationError, match="not an address"):
        expand("$A/@evil.example", {"A": "http://127.0.0.1:"})
    assert expand("$A/x/", {"A": "https://ops.example.org/"}) == "https://ops.example.org/x"


def test_only_forms_that_everybody_reads_alike_are_loopback():
    assert [host for host in ("localhost", "127.0.0.1", "::1", "[::1]") if not is_loopback(host)] == []
    assert [host for host in ("127.1", "2130706433", "localhost.", "::ffff:127.0.0.1", "") if is_loopback(host)] == []


def test_host_and_port_are_what_is_said():
    assert shown(f"https://ops.example.org:8443/{SECRET}") == "ops.example.org:8443"
    assert shown(f"{SECRET}") == "an address"
    text = f"https://u:{SECRET}@ops.example.org:1/{SECRET}?a={SECRET} alerts, $VAR/{SECRET} rules"
    assert without_secrets(text) == "ops.example.org:1 alerts, $VAR rules"
    assert without_secrets("k6 folder/files, 3 of 4") == "k6 folder/files, 3 of 4"
