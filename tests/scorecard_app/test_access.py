"""Sign-in and roles: the refusal to serve strangers, and the whole way through the stand-in identity service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from door.sessions import Sessions
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Door, SignIn
from opsmetrics.language.texts import text
from opsmetrics.organisation.access import AccessRules, load_access
from scorecard_app import sign_in as sign_in_module
from scorecard_app.access import cookie_name, permissions_of
from scorecard_app.listen_policy import refusal
from simulator.servers import identity
from tests.apps import free_port, running_app
from tests.asking import http_get, http_post
from tests.patience import LIMIT_MS, LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("address", "is_near"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("", False),
        (None, False),
        ("::", False),
        ("ops.example.org", False),
    ],
)
def test_only_loopback_needs_no_sign_in(address, is_near):
    assert (refusal(address, has_sign_in=False) is None) is is_near
    assert refusal(address, has_sign_in=True) is None


def test_the_app_refuses_to_listen_to_everyone(homes):
    """The process ends with one clear sentence, before anything listens."""
    found = subprocess.run(
        [sys.executable, "-m", "opsmetrics", "app", "--address", "0.0.0.0", "--port", str(free_port())],  # noqa: S104
        env=os.environ | {"OPSMETRICS_HOME": str(homes["half"])},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert found.returncode != 0
    assert "will not listen on 0.0.0.0 without sign-in" in found.stderr
    # What is said of an address holds: nobody listens there.
    assert found.stdout == ""
    assert "Traceback" not in found.stderr


def test_half_a_sign_in_is_an_error():
    with pytest.raises(ConfigurationError) as error:
        SignIn.from_env({"OPSMETRICS_OIDC_CLIENT_ID": "x", "OPSMETRICS_COOKIE_SECRET": "short"})
    words = str(error.value)
    assert "OPSMETRICS_OIDC_METADATA_URL is not set" in words
    assert "OPSMETRICS_COOKIE_SECRET is short" in words
    assert SignIn.from_env({}) is None


def test_roles_come_from_a_claim():
    rules = AccessRules.model_validate(
        {
            "claim": "groups",
            "everyone": "none",
            "grant": [
                {"value": "a", "role": "admin"},
                {"value": "s", "role": "member", "team": "sjokart"},
                {"value": "v", "role": "viewer"},
            ],
        }
    )
    assert permissions_of(rules, {}).role == "none"
    assert permissions_of(rules, {"groups": "v"}).role == "viewer"
    member = permissions_of(rules, {"groups": ["v", "s"]})
    assert (member.role, member.teams) == ("member", {"sjokart"})
    assert member.may_see_rows("sec", "sjokart")
    assert not member.may_see_rows("sec", "farled")
    assert member.may_see_rows("mon", "farled")
    assert permissions_of(rules, {"groups": ["a", "s"]}).may_see_rows("sec", "farled")
    assert not permissions_of(rules, {"groups": "v"}).may_write()


def test_wrong_rules_name_file_line_and_fix(tmp_path):
    (tmp_path / "access.toml").write_text('claim = "roles"\n\n[[grant]]\nvalue = "x"\nrole = "king"\n')
    with pytest.raises(ConfigurationError) as error:
        load_access(tmp_path)
    assert "access.toml:5" in str(error.value)
    assert load_access(tmp_path / "nowhere").everyone == "viewer"


@pytest.fixture(scope="module")
def provider() -> Generator[str]:
    """The stand-in identity service on loopback, in a thread of this process."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=identity.routes()), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/{identity.TENANT}/v2.0/.well-known/openid-configuration"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def organisation(tmp_path_factory) -> Path:
    """The demo's configuration, with an access.toml that may be changed."""
    return Path(shutil.copytree(ROOT / "examples" / "demo", tmp_path_factory.mktemp("organisation") / "demo"))


@pytest.fixture(scope="module")
def guarded(provider, homes, organisation, tmp_path_factory) -> Generator[str]:
    """The demo behind sign-in, with the demo's own access.toml."""
    port = free_port()
    settings = {
        "OPSMETRICS_ORG": str(organisation),
        "OPSMETRICS_OIDC_METADATA_URL": provider,
        "OPSMETRICS_OIDC_CLIENT_ID": identity.CLIENT,
        "OPSMETRICS_OIDC_CLIENT_SECRET": identity.CLIENT_SECRET,
        "OPSMETRICS_COOKIE_SECRET": "only-for-this-test-on-loopback-0123456789",
        "OPSMETRICS_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with running_app(homes["full"], tmp_path_factory.mktemp("guarded") / "log", port, **settings) as address:
        yield address


def sign_in(browser, guarded: str, person: str):
    """Open the app, go through the identity service as a person, and return the page."""
    page = browser.new_context(locale="nb-NO").new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{guarded}/?lang=nb")
    page.get_by_role("link", name=text("nb", "access.sign_in")).click()
    page.get_by_role("link", name=person).click()
    page.wait_for_selector(".ops footer")
    return page


def test_nobody_sees_a_number_before_signing_in(browser, guarded):
    page = browser.new_context(locale="nb-NO").new_page()
    for path in ("", "team", "maling", "rapport"):
        page.goto(f"{guarded}/{path}")
        page.get_by_role("link", name=text("nb", "access.sign_in")).wait_for()
        assert page.locator("table").count() == 0
    for kind in ("csv", "xlsx", "parquet"):
        assert http_get(f"{guarded}/ned/gaps.{kind}").status_code == 403
        assert http_get(f"{guarded}/ned/gaps.{kind}?key=guess").status_code == 403
    assert http_get(f"{guarded}/ned/snapshot.duckdb").status_code == 403
    page.context.close()


def test_a_viewer_reads_all_but_open_findings(browser, guarded):
    page = sign_in(browser, guarded, "leader")
    assert page.locator("table.matrix a.cell").count() > 80
    page.goto(f"{guarded}/maling?team=sjokart&metric=sec_vulns_fixed_on_time")
    page.wait_for_selector(".ops footer")
    assert text("nb", "metric.evidence_closed") in page.inner_text("body")
    assert page.locator('a[href*="/ned/evidence"]').count() == 0
    page.goto(f"{guarded}/gjenoppretting")
    page.wait_for_selector(".ops footer")
    assert text("nb", "restore.members_only") in page.inner_text("body")
    page.goto(f"{guarded}/forbedring")
    page.wait_for_selector(".ops footer")
    link = page.locator('a[href*="/ned/gaps.csv"]').get_attribute("href")
    assert http_get(f"{guarded}{link}").status_code == 200
    # A signature is for one table and its parameters, not for others.
    assert http_get(f"{guarded}{link}".replace("gaps.csv", "evidence.csv")).status_code == 403
    assert http_get(f"{guarded}{link}&team=sjokart").status_code == 403
    # The whole file holds every team's open findings.
    assert http_get(f"{guarded}{link}".replace("gaps.csv", "snapshot.duckdb")).status_code == 403
    page.goto(f"{guarded}/analyse")
    page.wait_for_selector(".ops footer")
    assert page.locator('a[href*=".duckdb"]').count() == 0
    page.context.close()


def test_a_member_works_for_the_own_team(browser, guarded):
    page = sign_in(browser, guarded, "skipper")
    page.goto(f"{guarded}/team")
    page.wait_for_selector(".ops footer")
    assert page.inner_text("h1") == "Sjøkart", "the own team comes first"
    page.goto(f"{guarded}/maling?team=sjokart&metric=sec_vulns_fixed_on_time")
    page.wait_for_selector('a[href*="/ned/evidence"]')
    page.goto(f"{guarded}/maling?team=farled&metric=sec_vulns_fixed_on_time")
    page.wait_for_selector(".ops footer")
    assert page.locator('a[href*="/ned/evidence"]').count() == 0
    page.goto(f"{guarded}/gjenoppretting")
    page.wait_for_selector(".ops footer")
    page.get_by_label(text("nb", "restore.datastore")).click()
    names = page.get_by_role("option").all_inner_texts()
    assert names
    assert all(name.startswith("sjokart") for name in names)
    page.context.close()


def test_signing_out_ends_it(browser, guarded):
    page = sign_in(browser, guarded, "keeper")
    page.get_by_role("button", name=text("nb", "access.sign_out")).click()
    page.get_by_role("link", name=text("nb", "access.sign_in")).wait_for()
    page.context.close()


def cookie_of(page) -> dict[str, str]:
    """The session's cookie, as a thief would copy it."""
    (found,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "opsmetrics"]
    assert found["httpOnly"]
    assert found["sameSite"] == "Lax"
    assert 0 < found["expires"] - time.time() <= 480 * 60 + 60
    return {"Cookie": f"opsmetrics={found['value']}"}


def opens(guarded: str, headers: dict[str, str]) -> bool:
    """Whether a socket opens: Streamlit begins a session behind it."""
    try:
        with connect(guarded.replace("http", "ws") + "/_stcore/stream", origin=guarded, additional_headers=headers):
            return True
    except InvalidStatus:
        return False


def test_a_stolen_cookie_ends_with_the_session(browser, guarded):
    """Before sign-out a copy is as good as the original; after it, it is nothing: for pages, sockets and files."""
    page = sign_in(browser, guarded, "keeper")
    stolen = cookie_of(page)
    page.goto(f"{guarded}/forbedring")
    page.wait_for_selector(".ops footer")
    link = guarded + page.locator('a[href*="/ned/gaps.csv"]').get_attribute("href")
    assert http_get(guarded, headers=stolen).status_code == 200
    assert http_get(link).status_code == 200
    assert opens(guarded, stolen)
    page.get_by_role("button", name=text("nb", "access.sign_out")).click()
    page.get_by_role("link", name=text("nb", "access.sign_in")).wait_for()
    assert http_get(guarded, headers=stolen).status_code == 401
    assert http_get(link).status_code == 403
    assert not opens(guarded, stolen)
    page.context.close()


def test_a_stranger_gets_no_socket_and_no_answer_of_streamlit(guarded):
    assert not opens(guarded, {})
    assert not opens(guarded, {"Cookie": "opsmetrics=guess; _streamlit_user=guess", "X-Opsmetrics-Session": "guess"})
    for path in ("", "team", "_stcore/host-config", "media/a.png", "dagster", "_stcore/metrics"):
        answer = http_get(f"{guarded}/{path}")
        assert answer.status_code in {401, 404}
        assert answer.headers["cache-control"] == "private, no-store"
    assert http_get(f"{guarded}/_stcore/health").status_code == 200


def test_nobody_is_signed_out_by_another_site(browser, guarded):
    page = sign_in(browser, guarded, "leader")
    mine = cookie_of(page)
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert http_post(f"{guarded}/logg-ut", headers=mine | headers).status_code == 403
    assert http_get(guarded, headers=mine).status_code == 200
    page.context.close()


def test_roles_are_read_again_while_the_app_runs(browser, guarded, organisation):
    """A grant that is taken back is gone in the open page, and a file that cannot be read lets nobody in."""
    page = sign_in(browser, guarded, "skipper")
    page.goto(f"{guarded}/maling?team=sjokart&metric=sec_vulns_fixed_on_time")
    evidence = page.locator('a[href*="/ned/evidence.csv"]')
    link = guarded + evidence.get_attribute("href")
    assert http_get(link).status_code == 200
    rules = (organisation / "access.toml").read_text()
    (organisation / "access.toml").write_text('everyone = "viewer"\n')
    assert http_get(link).status_code == 403
    page.goto(f"{guarded}/maling?team=sjokart&metric=sec_vulns_fixed_on_time")
    page.wait_for_selector(".ops footer")
    assert evidence.count() == 0
    (organisation / "access.toml").write_text("everyone = ")
    page.goto(guarded)
    page.get_by_text(text("nb", "access.refused")).wait_for()
    (organisation / "access.toml").write_text(rules)
    page.goto(guarded)
    page.wait_for_selector(".ops footer")
    page.context.close()


@pytest.mark.parametrize("odd", [7, True, {"a": 1}, ["a", 7], [["a"]], 1.5])
def test_an_odd_claim_gives_no_role(odd, caplog):
    known = AccessRules.model_validate({"grant": [{"value": "a", "role": "admin"}]})
    assert permissions_of(known, {"roles": odd}).role == "none"
    assert "is no text and no list of texts" in caplog.text


@pytest.mark.parametrize("name", ["OPSMETRICS_OIDC_METADATA_URL", "OPSMETRICS_PUBLIC_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.org/x",
        "http://127.0.0.1@evil.example",
        "http://localhost.evil.example",
        "ftp://127.0.0.1",
        "https://",
        "x",
    ],
)
def test_sign_in_goes_over_https_or_stays_on_this_machine(name, url):
    env = {
        "OPSMETRICS_OIDC_METADATA_URL": "https://login.example.org/x",
        "OPSMETRICS_OIDC_CLIENT_ID": "x",
        "OPSMETRICS_OIDC_CLIENT_SECRET": "x",
        "OPSMETRICS_COOKIE_SECRET": "x" * 32,
        "OPSMETRICS_PUBLIC_URL": "http://127.0.0.1:8501",
    }
    assert SignIn.from_env(env).session_minutes == 480
    with pytest.raises(ConfigurationError, match=f"{name} is neither https nor on this machine"):
        SignIn.from_env(env | {name: url})
    with pytest.raises(ConfigurationError, match="OPSMETRICS_SESSION_MINUTES"):
        SignIn.from_env(env | {"OPSMETRICS_SESSION_MINUTES": "0"})


@pytest.mark.parametrize("proxies", ["*", "nginx", "0.0.0.0/0", "10.0.0.0/99", "127.0.0.1, ::/0"])
def test_a_proxy_is_an_address_or_a_network(proxies):
    """Another name is believed of nobody, and a star of everybody, who would choose whom they stand for."""
    assert Door.from_env({"OPSMETRICS_PROXIES": "127.0.0.1, 10.0.0.0/24,::1"}).proxies[1:] == ("10.0.0.0/24", "::1")
    with pytest.raises(ConfigurationError, match="OPSMETRICS_PROXIES"):
        Door.from_env({"OPSMETRICS_PROXIES": proxies})


def test_behind_https_cookies_are_for_it_alone():
    """The cookie of the way to the provider, and what a browser makes of the session's name."""
    settings = SignIn("http://127.0.0.1:1/x", "x", "x", "x" * 32, "https://ops.example.org")
    assert cookie_name(settings).startswith("__Host-")
    way = sign_in_module._Way(settings, Sessions(60))
    response = Response()
    way._keep(response, "value", 60)
    kept = response.headers["set-cookie"]
    assert all(part in kept for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=60"))
    assert "Domain" not in kept
