"""Basic, JSESSIONID and its end, over a real socket."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx2
import pytest

from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site

READER = ("guest-reader", "reader-demo")


def session_of(response: httpx2.Response) -> str:
    match = re.match(
        r"JSESSIONID=([0-9A-F]{32}); Path=/; HttpOnly", response.headers.get_list("set-cookie")[0]
    )
    assert match
    return match[1]


@pytest.mark.parametrize("root", ["/data", "/REST"])
def test_the_first_answer_sets_both_cookies(stranger: httpx2.Client, root: str) -> None:
    response = stranger.get(f"{root}/JSESSION", auth=READER)
    assert response.status_code == 200
    assert response.text == session_of(response)
    assert re.fullmatch(
        r'SESSION_EXPIRATION_TIME="\d{13},1800000"; Path=/', response.headers.get_list("set-cookie")[1]
    )


def test_a_stranger_gets_a_session_id_and_nothing_else(stranger: httpx2.Client) -> None:
    response = stranger.get("/data/JSESSION")
    assert response.text == session_of(response)
    refused = stranger.get("/data/projects")
    assert refused.status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/data/auth", "/REST/projects", "/data/search/elements", "/xapi/schemas", "/xapi/connectomedb"],
)
def test_a_closed_site_asks_who_is_there(stranger: httpx2.Client, path: str) -> None:
    response = stranger.get(path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Basic realm="')
    assert "user authentication" in response.text
    assert response.text.count("\n") == 0


@pytest.mark.parametrize("path", ["/data/projects", "/REST/JSESSION", "/xapi/siteConfig/buildInfo"])
def test_a_wrong_password_is_refused_everywhere(stranger: httpx2.Client, path: str) -> None:
    response = stranger.get(path, auth=("guest-reader", "wrong"))
    assert response.status_code == 401
    assert not response.text.startswith("<")
    assert "wrong" in response.text


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /////w=="])
def test_an_unreadable_basic_header_is_a_wrong_password(stranger: httpx2.Client, header: str) -> None:
    assert stranger.get("/data/projects", headers={"Authorization": header}).status_code == 401


def test_the_cookie_alone_is_enough_until_logout(stranger: httpx2.Client) -> None:
    cookie = {"Cookie": f"JSESSIONID={session_of(stranger.get('/data/JSESSION', auth=READER))}"}
    stranger.cookies.clear()
    assert stranger.get("/data/auth", headers=cookie).text == "User 'guest-reader' is logged in"
    assert stranger.get("/xapi/users/username", headers=cookie).text == "guest-reader"
    assert stranger.delete("/data/JSESSION", headers=cookie).status_code == 200
    stranger.cookies.clear()
    assert stranger.get("/data/auth", headers=cookie).status_code == 401


def test_a_cookie_of_2014_is_tolerated(stranger: httpx2.Client) -> None:
    session = session_of(stranger.get("/data/JSESSION", auth=READER))
    stranger.cookies.clear()
    cookie = {"Cookie": f"authentication_by_credentials; JSESSIONID={session}"}
    assert stranger.get("/data/auth", headers=cookie).status_code == 200


def test_the_basic_header_wins_over_somebody_elses_cookie(stranger: httpx2.Client) -> None:
    session = session_of(stranger.get("/data/JSESSION", auth=READER))
    stranger.cookies.clear()
    response = stranger.get(
        "/data/auth", auth=("admin", "admin-demo"), headers={"Cookie": f"JSESSIONID={session}"}
    )
    assert response.text == "User 'admin' is logged in"
    assert session_of(response) != session


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_login_by_form(stranger: httpx2.Client, method: str) -> None:
    form = {"username": READER[0], "password": READER[1]}
    response = stranger.request(method, "/data/services/auth", data=form)
    assert response.status_code == 200
    assert response.text == session_of(response)


def test_a_failed_login_by_form_keeps_the_heading_that_xnatpy_shows(stranger: httpx2.Client) -> None:
    response = stranger.put("/data/services/auth", data={"username": "<b>", "password": "wrong"})
    assert response.status_code == 401
    assert re.fullmatch(r"<h3>Authentication failed: [^<>]+</h3>", response.text)


def test_a_form_without_a_name_is_a_bad_request(stranger: httpx2.Client) -> None:
    assert stranger.put("/data/services/auth", content=b"\xff\xfe").status_code == 400
    assert "username" in stranger.put("/data/services/auth", content=b"").text


def test_an_expired_login_is_401_and_basic_heals_it(sample_site_folder: Path) -> None:
    site = open_site(sample_site_folder)
    with ServerThread(site, session_lifetime_s=0.3) as server, httpx2.Client(base_url=server.url) as client:
        cookie = {"Cookie": f"JSESSIONID={session_of(client.get('/data/JSESSION', auth=READER))}"}
        client.cookies.clear()
        assert client.get("/data/auth", headers=cookie).status_code == 200
        time.sleep(0.7)
        client.cookies.clear()
        expired = client.get("/data/projects", headers=cookie)
        assert expired.status_code == 401
        assert expired.headers["www-authenticate"].startswith("Basic realm=")
        assert "expired" in expired.text
        healed = client.get("/data/auth", headers=cookie, auth=READER)
        assert healed.status_code == 200
        assert session_of(healed) not in cookie["Cookie"]
    site.close()


def test_login_and_logout_by_the_page(stranger: httpx2.Client) -> None:
    refused = stranger.post(
        "/login", data={"username": READER[0], "password": "wrong"}, follow_redirects=True
    )
    assert "Login or password is wrong" in refused.text
    taken = stranger.post(
        "/login", data={"username": READER[0], "password": READER[1]}, follow_redirects=True
    )
    assert re.search(r'<span id="user_info">Logged in as: &nbsp;<a href="[^"]*">guest-reader</a>', taken.text)
    assert "HCP_Q1" in taken.text
    left = stranger.post("/logout", follow_redirects=True)
    assert '<span style="color:red;">Guest</span>' in left.text
    assert "HCP_Q1" not in left.text
