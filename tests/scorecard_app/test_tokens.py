"""Tokens that are not for us: what an identity provider may answer and what begins no session all the same."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from door.sessions import Sessions
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import SignIn
from opsmetrics.organisation.access import AccessRules
from scorecard_app import sign_in
from scorecard_app.openings import CALLBACK, SIGN_IN
from tests.apps import free_port
from tests.patience import wait_until

CLIENT, SECRET = "our-client", "known-to-both-0123456789-0123456789"
KEY = RSAKey.generate_key(2048, parameters={"kid": "a"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "a"})


class Provider:
    """A provider that answers a code with whatever it is told to."""

    def __init__(self, address: str) -> None:
        self.address, self.answer = address, dict[str, Any]()
        self.algorithms = ["RS256", "HS256", "none"]

    def routes(self) -> list[Route]:
        at = self.address
        places = {"authorization_endpoint": f"{at}/go", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/keys"}

        def metadata(_: Request) -> JSONResponse:
            return JSONResponse({"issuer": at, "id_token_signing_alg_values_supported": self.algorithms, **places})

        return [
            Route(sign_in.WELL_KNOWN, metadata),
            Route("/keys", lambda _: JSONResponse({"keys": [KEY.as_dict(private=False)]})),
            Route("/token", lambda _: JSONResponse(self.answer), methods=["POST"]),
        ]


@pytest.fixture(scope="module")
def provider() -> Generator[Provider]:
    port = free_port()
    found = Provider(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=found.routes()), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield found
    server.should_exit = True
    thread.join(10)


def claims_of(provider: Provider, nonce: str, **other: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": provider.address, "sub": "x", "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": nonce}
    return {name: value for name, value in (usual | other).items() if value is not None}


def signed(claims: dict[str, Any], key: Any = KEY, **header: Any) -> dict[str, Any]:
    token = jwt.encode({"alg": "RS256", "kid": "a"} | header, claims, key, algorithms=["RS256", "HS256"])
    return {"access_token": "x", "token_type": "Bearer", "id_token": token}


def unsigned(claims: dict[str, Any]) -> dict[str, Any]:
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return {"access_token": "x", "token_type": "Bearer", "id_token": f"{text}."}


def signs_in(provider: Provider, answer: Any) -> bool:
    """Go to the provider and come back with what it answers; returns whether a session began."""
    sessions = Sessions(60)
    settings = SignIn(f"{provider.address}{sign_in.WELL_KNOWN}", CLIENT, SECRET, "x" * 32, "http://testserver")
    client = TestClient(Starlette(routes=sign_in.routes(settings, sessions)), follow_redirects=False)
    sent = {key: value for key, (value,) in parse_qs(urlsplit(client.get(SIGN_IN).headers["location"]).query).items()}
    provider.answer = answer(sent["nonce"])
    came = client.get(CALLBACK, params={"code": "c", "state": sent["state"]})
    assert came.status_code in {303, 400}
    return came.status_code == 303 and sessions.of_cookie(client.cookies.get("opsmetrics")) is not None


@pytest.mark.parametrize("audience", [CLIENT, [CLIENT], ["other", CLIENT]])
def test_a_token_for_us_begins_a_session(provider, audience):
    azp = CLIENT if len(audience) == 2 else None
    assert signs_in(provider, lambda nonce: signed(claims_of(provider, nonce, aud=audience, azp=azp)))


ODD = {
    "of another audience, asked for by us": {"aud": "other", "azp": CLIENT},
    "of other audiences, asked for by us": {"aud": ["other", "another"], "azp": CLIENT},
    "of no audience": {"aud": [], "azp": CLIENT},
    "of an audience of another kind": {"aud": {CLIENT: 1}, "azp": CLIENT},
    "asked for by somebody else": {"aud": [CLIENT, "other"], "azp": "other"},
    "of another issuer": {"iss": "https://elsewhere.example.org"},
    "of another sign-in": {"nonce": "other"},
    "of no sign-in": {"nonce": None},
    "of nobody": {"sub": None},
    "that is over": {"exp": 1},
    "without an end": {"exp": None},
    "that holds from tomorrow": {"nbf": int(time.time()) + 86_400},
}


@pytest.mark.parametrize("other", ODD.values(), ids=ODD.keys())
def test_a_token_that_is_not_for_us_begins_none(provider, other):
    assert not signs_in(provider, lambda nonce: signed(claims_of(provider, nonce) | other))


def test_a_token_that_nobody_signed_begins_none(provider):
    """Whatever the provider says it supports: without its own key nothing tells who wrote a token."""
    assert not signs_in(provider, lambda nonce: unsigned(claims_of(provider, nonce)))
    assert not signs_in(provider, lambda nonce: signed(claims_of(provider, nonce), OTHER))
    secret = OctKey.import_key(SECRET)
    assert not signs_in(provider, lambda nonce: signed(claims_of(provider, nonce), secret, alg="HS256"))


def test_an_answer_without_a_token_begins_none(provider):
    assert not signs_in(provider, lambda nonce: {"access_token": "x", "userinfo": claims_of(provider, nonce)})
    assert not signs_in(provider, lambda _: {"access_token": "x", "id_token": None, "userinfo": {"sub": "x"}})
    assert not signs_in(provider, lambda _: ["x"])


def test_groups_that_are_too_many_for_a_token_are_told(provider, monkeypatch, caplog):
    """The person has the role of everybody then, and nobody would know why."""
    monkeypatch.setattr(sign_in.access, "rules", lambda: AccessRules(claim="groups"))
    names = {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://elsewhere.example.org"}},
    }
    assert signs_in(provider, lambda nonce: signed(claims_of(provider, nonce) | names))
    assert "too many groups for a token" in caplog.text
    caplog.clear()
    assert signs_in(provider, lambda nonce: signed(claims_of(provider, nonce) | names | {"groups": ["a"]}))
    assert "too many" not in caplog.text


def test_a_provider_with_a_certificate_of_the_agencys_own_is_believed(tmp_path, monkeypatch):
    authority, file = trustme.CA(organization_name="An agency"), tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(file))
    usual = len(sign_in.trusted().get_ca_certs())
    monkeypatch.setenv("OPSMETRICS_CA_FILE", str(file))
    assert len(sign_in.trusted().get_ca_certs()) == usual + 1
    file.write_text("nothing of the kind")
    for named in (file, tmp_path / "nowhere.pem"):
        monkeypatch.setenv("OPSMETRICS_CA_FILE", str(named))
        with pytest.raises(ConfigurationError, match="is no file of certificates"):
            sign_in.trusted()
