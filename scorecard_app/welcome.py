"""The pages that strangers see: plain HTML of our own, with a policy that lets nothing run."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.addresses import OVERVIEW
from scorecard_app.headers import digest
from scorecard_app.markup import Node, element, join, lead, paragraph
from scorecard_app.openings import SIGN_IN

# Without signs that HTML escapes: it must stay what its digest says.
STYLE = (
    "body{font-family:Inter,Arial,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;line-height:1.5;"
    "color:#1f2c3d;background:#fff}a.go{display:inline-block;background:#0062ba;color:#fff;padding:.6rem 1.2rem;"
    "border-radius:4px;text-decoration:none}a{color:#005db1}"
    "@media(prefers-color-scheme:dark){body{color:#ebeced;background:#13181f}a{color:#8eaacb}}"
)
# Whoever reads one of the Scandinavian languages is better served with Norwegian than with English.
_OURS = {"nb": "nb", "no": "nb", "nn": "nb", "da": "nb", "sv": "nb", "en": "en"}
POLICY = (
    f"default-src 'none'; style-src '{digest(STYLE)}'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def please(asked: HTTPConnection, key: str = "access.please", status: int = 401) -> Response:
    """Return the page that asks to sign in."""
    language = _language(asked)
    return _page(language, key, status, element("a", text(language, "access.sign_in"), href=SIGN_IN, class_="go"))


def note(asked: HTTPConnection, key: str, status: int, end: str | None = None) -> Response:
    """Return a page that says something, with the way in and, where there is one, the provider's way out."""
    language = _language(asked)
    again = element("a", text(language, "access.sign_in"), href=SIGN_IN, class_="go")
    out = element("a", text(language, "access.provider_out"), href=end) if end else None
    return _page(language, key, status, join(again, paragraph(out) if out else None))


def lost(asked: HTTPConnection) -> Response:
    """Return the page of an address that leads nowhere, with the way to the overview."""
    language = _language(asked)
    home = OVERVIEW.at().href({"lang": language if "lang=" in _query(asked) else None})
    body = element("a", text(language, "asked.home"), href=home, class_="go")
    return _page(language, "asked.no_page_text", 404, body, title=text(language, "asked.no_page"))


def _page(language: str, key: str, status: int, body: Node, title: str = "") -> Response:
    head = join(
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", text(language, "app.name")),
        element("style", STYLE),
    )
    main = element("main", join(element("h1", title or text(language, "app.name")), lead(text(language, key)), body))
    page = element("html", join(element("head", head), element("body", main)), lang=language)
    # A doctype has no end and takes no content: it is the one piece that is no element.
    headers = {"Content-Security-Policy": POLICY}
    if status == 401:
        headers["WWW-Authenticate"] = 'Cookie realm="opsmetrics"'
    return HTMLResponse(f"<!doctype html>\n{page}", status_code=status, headers=headers)


def _query(asked: HTTPConnection) -> str:
    return str(asked.scope.get("query_string", b"").decode("latin-1"))


def _language(asked: HTTPConnection) -> str:
    """The language of the address, else the first of ours that the browser asks for, else Norwegian."""
    wanted = parse_qs(_query(asked)).get("lang", [""])[-1]
    if wanted in LANGUAGES:
        return wanted
    accepted = (part.partition(";")[0].strip()[:2] for part in asked.headers.get("accept-language", "").split(","))
    return next((_OURS[each] for each in accepted if each in _OURS), LANGUAGES[0])
