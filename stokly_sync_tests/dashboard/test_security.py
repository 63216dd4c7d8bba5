"""Nobody comes in uninvited, no form counts that is not ours, and no text of a record becomes part of a page."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr
from starlette.routing import Route

from stokly_sync.dashboard.access import Access, access_for, is_loopback
from stokly_sync.dashboard.app import build_app
from stokly_sync.dashboard.views import local
from stokly_sync.errors import SettingsError
from stokly_sync.operations import listing
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Wanted
from stokly_sync_tests.dashboard.conftest import PASSWORD
from stokly_sync_tests.dashboard.site import Visitor, served
from stokly_sync_tests.operations.kit import kept_back

SCRIPT = "<script>alert(1)</script>"


def sign_in(visitor: Visitor, *, name: str = "kim", password: str = PASSWORD, target: str = "/") -> requests.Response:
    return visitor.post("/sign-in", name=name, password=password, next=target)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "dashboard.example.com"])
def test_it_does_not_listen_for_others_without_users(host: str) -> None:
    with pytest.raises(SettingsError, match="STOKLY_SYNC_DASHBOARD_USERS"):
        access_for(host=host, url="http://127.0.0.1:3001", users={}, session_key=None)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_at_the_machine_itself_nobody_has_to_sign_in(host: str) -> None:
    assert is_loopback(host)
    assert access_for(host=host, url="http://127.0.0.1:3001", users={}, session_key=None).open


def test_a_password_in_place_of_its_hash_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="kim has no hash") as refused:
        access_for(host="0.0.0.0", url="https://x.example.com", users={"kim": SecretStr("tops3cret")}, session_key=None)
    assert "tops3cret" not in str(refused.value)


def test_every_page_and_every_form_asks_to_sign_in_first(stranger: Visitor, desk: Desk, guarded: Access) -> None:
    ref = kept_back(desk.warehouse, "1")
    routes = [r for r in build_app(desk, guarded).routes if isinstance(r, Route) and r.path != "/sign-in"]
    assert len(routes) > 10
    for route in routes:
        for method in route.methods or ():
            data = {"act": "ignore", "reason": "x", "ref": json.dumps(list(ref))} if method == "POST" else None
            answer = stranger.session.request(method, stranger.address + route.path, data=data, allow_redirects=False)
            assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), (method, route.path)
    assert listing.total(desk, Wanted()).count == 1


def test_whoever_signs_in_is_led_to_where_they_wanted_and_acts_under_their_name(stranger: Visitor, desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1")
    page = f"/exception?subject={ref.subject}&key={ref.key}&rule={ref.rule}"
    asked = stranger.get(page)
    assert "/sign-in?next=%2Fexception" in asked.url
    done = sign_in(stranger, target=page)
    assert done.url == stranger.address + page
    noted = stranger.post("/exception/act", act="assign", person="day shift", ref=json.dumps(list(ref)))
    assert "assign by kim" in noted.text
    out = stranger.post("/sign-out")
    assert out.url.endswith("/sign-in")
    assert "/sign-in" in stranger.get("/").url


@pytest.mark.parametrize(("name", "password"), [("kim", "wrong"), ("nobody", PASSWORD), ("", ""), ("kim", "")])
def test_a_wrong_name_and_a_wrong_password_look_alike(stranger: Visitor, name: str, password: str) -> None:
    answer = sign_in(stranger, name=name, password=password)
    assert answer.status_code == 401
    assert "Name or password is wrong" in answer.text
    assert "/sign-in" in stranger.get("/").url


def test_a_password_cannot_be_guessed_at_speed(guarded: Access) -> None:
    for _ in range(5):
        assert not guarded.admits("kim", "wrong")
    assert not guarded.admits("kim", PASSWORD), "even the right one has to wait now"


def test_a_session_is_new_after_signing_in_and_ends_with_the_user(stranger: Visitor, guarded: Access) -> None:
    before = stranger.token()
    sign_in(stranger)
    assert stranger.token() != before
    guarded.users = {}
    guarded.users = {"somebody else": SecretStr("$argon2id$x")}
    assert "/sign-in" in stranger.get("/").url


def test_a_session_that_was_made_up_counts_for_nothing(stranger: Visitor) -> None:
    stranger.session.cookies.set("stokly_sync", "eyJ3aG8iOiAia2ltIn0=.aaaa.bbbb")
    assert "/sign-in" in stranger.get("/").url


@pytest.mark.parametrize("target", ["//evil.example.com", "https://evil.example.com", "/\\evil.example.com", "evil"])
def test_signing_in_leads_nowhere_else(stranger: Visitor, target: str) -> None:
    assert local(target) == "/"
    assert sign_in(stranger, target=target).url == stranger.address + "/"


@pytest.mark.parametrize("path", ["/exceptions/act", "/exception/act", "/where", "/team", "/sign-in", "/sign-out"])
@pytest.mark.parametrize("token", ["", "made up"])
def test_a_form_without_the_token_of_its_session_is_refused(
    visitor: Visitor, desk: Desk, path: str, token: str
) -> None:
    ref = kept_back(desk.warehouse, "1")
    visitor.get("/")
    answer = visitor.post(path, token=token, act="ignore", reason="x", ref=json.dumps(list(ref)), scope="ticked")
    assert answer.status_code == 403
    assert listing.total(desk, Wanted()).count == 1


def test_the_token_of_another_session_is_refused(visitor: Visitor) -> None:
    other = Visitor(visitor.address)
    visitor.get("/")
    assert visitor.post("/team", token=other.token(), team="finance").status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(desk: Desk, password_hash: str) -> None:
    users = {"kim": SecretStr(password_hash)}
    access = access_for(host="0.0.0.0", url="https://sync.example.com", users=users, session_key=SecretStr("k" * 32))
    with served(desk, access) as address:
        cookie = requests.get(f"{address}/sign-in", timeout=30).headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "secure"} <= {part.strip() for part in cookie.split(";")}


def test_a_page_elsewhere_cannot_speak_under_its_own_name(visitor: Visitor) -> None:
    """Whose name leads to 127.0.0.1 only after its page was loaded could otherwise read everything."""
    connection = http.client.HTTPConnection(urlsplit(visitor.address).netloc)
    connection.request("GET", "/", headers={"Host": "evil.example.com"})
    assert connection.getresponse().status == 400
    connection.close()


@pytest.mark.parametrize("path", ["/", "/trust", "/static/style.css", "/nowhere", "/exceptions.csv"])
def test_every_answer_forbids_scripts_frames_and_guessing(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_no_text_of_a_record_becomes_part_of_a_page(visitor: Visitor, desk: Desk) -> None:
    payload = json.dumps({"order_id": SCRIPT, "note": SCRIPT})
    ref = kept_back(desk.warehouse, SCRIPT, detail=SCRIPT, note=SCRIPT, assigned_to=SCRIPT, payload=payload)
    page = visitor.get("/exception?" + requests.compat.urlencode(ref._asdict()))
    for answer in (
        visitor.get("/"),
        page,
        visitor.post("/where", words=SCRIPT),
        visitor.get(f"/?assigned={SCRIPT}&rule={SCRIPT}"),
    ):
        assert "&lt;script&gt;" in answer.text
        assert "<script" not in answer.text


def test_a_form_that_is_far_too_long_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/where", words="x" * 2_000_000).status_code == 413


def test_nothing_is_asked_from_anywhere_else(visitor: Visitor) -> None:
    import re

    for path in ("/", "/reconciliation", "/trust", "/plans", "/where"):
        sources = re.findall(r'(?:src|action)="([^"]+)"|<link[^>]+href="([^"]+)"', visitor.get(path).text)
        assert all((a or b).startswith("/") for a, b in sources)
