"""Logins, tokens and what people with bad intentions try: each has its answer."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from tests.conformance.people.conftest import PASSWORD, World

from connectomedb.errors import BadCredentials, TooManyAttempts
from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, open_site
from connectomedb.store.throttle import LIMITS, Limit, Throttle, login_attempt

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
PAGE = {**FIREFOX, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def cookie_of(response: httpx2.Response) -> str:
    match = re.match(r"JSESSIONID=([0-9A-F]{32});", response.headers.get_list("set-cookie")[0])
    assert match
    return match[1]


# Alias tokens


def test_a_token_logs_in_as_its_owner_and_no_more(world: World) -> None:
    token = world.ask("member", "GET", "/data/services/tokens/issue").json()
    assert re.fullmatch(r"[0-9a-f-]{36}", token["alias"])
    assert re.fullmatch(r"[A-Za-z0-9]{64}", token["secret"])
    assert (token["xdatUserId"], token["singleUse"]) == ("member", False)
    assert abs(token["estimatedExpirationTime"] / 1000 - time.time() - 2 * 86400) < 60
    pair = (token["alias"], token["secret"])
    with world.client() as client:
        first = client.get("/data/auth", auth=pair)
        assert first.text == "User 'member' is logged in"
        session = cookie_of(first)
        client.cookies.clear()
        # The same login is used again, as with a password.
        again = client.get("/data/auth", auth=pair, headers={"Cookie": f"JSESSIONID={session}"})
        assert not any("JSESSIONID" in value for value in again.headers.get_list("set-cookie"))
        assert client.get("/xapi/users/profiles", auth=pair).status_code == 403
        form = {"username": pair[0], "password": pair[1]}
        client.cookies.clear()
        assert client.put("/data/services/auth", data=form).status_code == 200
        client.cookies.clear()
        assert client.get("/data/auth", auth=(pair[0], "x" * 64)).status_code == 401


def test_a_void_token_ends_its_logins_too(world: World) -> None:
    token = world.ask("member", "GET", "/data/services/tokens/issue").json()
    with world.client() as client:
        session = cookie_of(client.get("/data/auth", auth=(token["alias"], token["secret"])))
    cookie = {"Cookie": f"JSESSIONID={session}"}
    base = "/data/services/tokens"
    assert world.ask("owner", "GET", f"{base}/invalidate/{token['alias']}").status_code == 404
    shown = world.ask("member", "GET", f"{base}/show").json()
    assert token["alias"] in [one["alias"] for one in shown]
    assert all("secret" not in one for one in shown)
    assert world.ask("member", "GET", f"{base}/validate/{token['alias']}/{token['secret']}").json() == {
        "valid": "member"
    }
    assert world.ask("member", "GET", f"{base}/validate/{token['alias']}/wrong").json()["valid"] is None
    gone = world.ask("member", "GET", f"{base}/invalidate/{token['alias']}/{token['secret']}")
    assert gone.json() == {"result": "OK"}
    with world.client() as client:
        assert client.get("/data/auth", headers=cookie).status_code == 401
        assert client.get("/data/auth", auth=(token["alias"], token["secret"])).status_code == 401
    assert (
        world.ask("member", "GET", f"{base}/validate/{token['alias']}/{token['secret']}").status_code == 404
    )


def test_tokens_of_others_are_for_administrators(world: World) -> None:
    base = "/data/services/tokens"
    assert world.ask("owner", "GET", f"{base}/issue/user/member").status_code == 403
    issued = world.ask("admin", "GET", f"{base}/issue/user/member").json()
    assert issued["xdatUserId"] == "member"
    assert world.ask("owner", "GET", f"{base}/show/user/member").status_code == 403
    assert world.ask("admin", "GET", f"{base}/show/user/member").status_code == 200
    assert world.ask("admin", "GET", f"{base}/issue/user/nobody").status_code == 404
    assert world.ask("", "GET", f"{base}/issue/user/member").status_code == 401
    assert world.ask("member", "GET", f"{base}/frobnicate").status_code == 400
    assert world.ask("member", "GET", f"{base}/validate/{issued['alias']}").status_code == 401
    assert world.ask("admin", "GET", f"{base}/invalidate/{issued['alias']}").status_code == 200


def test_a_token_ends_with_its_time_and_so_do_its_logins(world: World) -> None:
    sessions = world.site.archive.people.sessions
    token = sessions.issue_token("member", 0.6)
    with world.client() as client:
        session = cookie_of(client.get("/data/auth", auth=(token.alias, token.secret)))
        client.cookies.clear()
        cookie = {"Cookie": f"JSESSIONID={session}"}
        time.sleep(0.8)
        assert client.get("/data/auth", headers=cookie).status_code == 401
        assert client.get("/data/auth", auth=(token.alias, token.secret)).status_code == 401
    assert session not in [one.name for one in sessions.open_logins("member")]


# Logins


def test_every_login_gets_a_new_id_whatever_was_sent(world: World) -> None:
    planted = "A" * 32
    cookie = {"Cookie": f"JSESSIONID={planted}"}
    form = {"username": "member", "password": PASSWORD}
    with world.client(headers=cookie) as client:
        page = client.post("/login", data=form)
        by_form = client.put("/data/services/auth", data=form)
        basic = client.get("/data/auth", auth=("member", PASSWORD))
    ids = {cookie_of(page), cookie_of(by_form), cookie_of(basic)}
    assert len(ids) == 3
    assert planted not in ids
    with world.client() as client:
        assert client.get("/data/auth", headers=cookie).status_code == 401


def test_a_page_login_ends_the_one_before(world: World) -> None:
    before = world.session("member")
    with world.client(headers={"Cookie": f"JSESSIONID={before}"}) as client:
        client.post("/login", data={"username": "member", "password": PASSWORD})
    with world.client(headers={"Cookie": f"JSESSIONID={before}"}) as client:
        assert client.get("/data/auth").status_code == 401


def test_a_login_that_ends_is_ended_everywhere_at_once_under_load(world: World) -> None:
    """Two servers on one database, eight clients that ask without pause.

    No request that was sent after the end was answered is let in.
    """
    login = world.person()
    with open_site(world.site.folder) as second, ServerThread(second) as other:
        for end in ("logout", "by-administrator", "disable"):
            world.site.archive.people.accounts.change(login, enabled=True)
            session = world.session(login)
            cookie = {"Cookie": f"JSESSIONID={session}"}
            over = threading.Event()
            stop = threading.Event()
            late: list[int] = []
            served: list[int] = []

            def ask(
                url: str,
                cookie: dict[str, str] = cookie,
                over: threading.Event = over,
                stop: threading.Event = stop,
                late: list[int] = late,
                served: list[int] = served,
            ) -> None:
                with httpx2.Client(base_url=url, headers=cookie) as client:
                    while not stop.is_set():
                        ended = over.is_set()
                        status = client.get("/data/auth").status_code
                        client.cookies.clear()
                        (late if ended else served).append(status)

            with ThreadPoolExecutor(8) as pool:
                tasks = [pool.submit(ask, url) for url in (world.url, other.url) * 4]
                while len(served) < 40:
                    time.sleep(0.01)
                if end == "logout":
                    with httpx2.Client(base_url=world.url, headers=cookie) as client:
                        assert client.delete("/data/JSESSION").status_code == 200
                elif end == "by-administrator":
                    assert world.ask("admin", "DELETE", f"/data/user/{login}/sessions").status_code == 200
                else:
                    assert world.ask("admin", "PUT", f"/xapi/users/{login}/enabled/false").status_code == 200
                over.set()
                while len(late) < 40:
                    time.sleep(0.01)
                stop.set()
                for task in tasks:
                    task.result()
            assert set(late) == {401}, end
            assert 200 in served


def test_logins_are_listed_by_names_that_open_nothing(world: World) -> None:
    login = world.person()
    session = world.session(login)
    assert world.ask(login, "GET", f"/data/user/{login}/sessions").json()[login] >= 2
    assert world.ask("owner", "GET", f"/data/user/{login}/sessions").status_code == 403
    assert world.ask("owner", "GET", "/xapi/users/active").status_code == 403
    active = world.ask("admin", "GET", "/xapi/users/active").json()[login]
    assert active["count"] == len(active["sessions"])
    assert session not in active["sessions"]
    with world.client() as client:
        for name in active["sessions"]:
            assert client.get("/data/auth", headers={"Cookie": f"JSESSIONID={name}"}).status_code == 401
    assert login in world.ask("admin", "GET", "/xapi/users/current").json()
    assert world.ask("admin", "GET", f"/xapi/users/active/{login}").json() == active["sessions"]
    ended = world.ask("admin", "DELETE", f"/xapi/users/active/{login}").json()
    assert sorted(ended) == sorted(active["sessions"])
    assert world.ask("admin", "GET", f"/xapi/users/active/{login}").json() == []


def test_a_person_has_at_most_a_thousand_logins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectomedb.store.sessions.SESSIONS_AT_MOST", 5)
    login = world.person()
    opened = [world.session(login) for _ in range(8)]
    archive = world.site.archive
    assert [archive.touch_session(one) is not None for one in opened] == [False] * 3 + [True] * 5


def test_cookies_are_for_this_site_alone(world: World) -> None:
    with world.client() as client:
        cookie = client.get("/data/JSESSION", auth=("member", PASSWORD)).headers.get_list("set-cookie")[0]
    assert re.fullmatch(r"JSESSIONID=[0-9A-F]{32}; Path=/; HttpOnly; SameSite=Lax", cookie)
    with world.client() as client:
        behind = {"X-Forwarded-Proto": "https"}
        secure = client.get("/data/JSESSION", auth=("member", PASSWORD), headers=behind)
    assert all(value.endswith("; Secure") for value in secure.headers.get_list("set-cookie"))


def test_the_database_holds_no_secret(world: World) -> None:
    login = world.person()
    session = world.session(login)
    token = world.site.archive.people.issue_token(login)
    with world.site.archive.engine.connect() as connection:
        for table in ("account", "login_session", "login_fact", "alias_token"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            assert session not in text
            assert token.secret not in text
            assert PASSWORD not in text


# Browsers


def test_a_browsers_cookie_alone_changes_nothing_without_the_token(world: World) -> None:
    project = world.project()
    path = f"/data/projects/{project}/accessibility"
    with world.client("owner", headers=FIREFOX) as browser:
        refused = browser.put(f"{path}/public")
        assert refused.status_code == 403
        assert "XNAT_CSRF" in refused.text
        assert browser.get(path).text == "private"
        session, _, token = browser.get("/data/JSESSION?CSRF=true").text.partition("; XNAT_CSRF=")
        assert re.fullmatch("[0-9A-F]{32}", session)
        assert token in browser.get("/data/auth?CSRF=true").text
        assert browser.put(f"{path}/public?XNAT_CSRF={token}").status_code == 200
        assert browser.put(f"{path}/private", data={"XNAT_CSRF": token}).status_code == 200
        assert browser.put(f"{path}/public", headers={"X-XNAT-CSRF": token}).status_code == 200
        assert browser.put(f"{path}/private?XNAT_CSRF=0000").status_code == 403
        foreign = world.ask("owner", "GET", "/data/JSESSION?CSRF=true").text.partition("=")[2]
        assert browser.put(f"{path}/private?XNAT_CSRF={foreign}").status_code == 403
    with world.client(headers=FIREFOX) as browser:
        assert browser.put(f"{path}/private", auth=("owner", PASSWORD)).status_code == 200
    assert world.ask("owner", "PUT", f"{path}/public").status_code == 200  # a script
    assert world.ask("admin", "POST", "/xapi/siteConfig/enableCsrfToken", content="false").status_code == 200
    try:
        with world.client("owner", headers=FIREFOX) as browser:
            assert browser.put(f"{path}/private").status_code == 200
    finally:
        world.ask("admin", "POST", "/xapi/siteConfig/enableCsrfToken", content="true")


def test_the_pages_log_out_with_their_token(world: World) -> None:
    with world.client(headers=PAGE) as browser:
        browser.post("/login", data={"username": "member", "password": PASSWORD})
        page = browser.get("/").text
        assert browser.post("/logout").status_code == 403
        token = re.search(r'name="XNAT_CSRF" value="([0-9a-f]{32})"', page)
        assert token
        assert browser.post("/logout", data={"XNAT_CSRF": token[1]}).status_code == 303
        assert "Guest" in browser.get("/").text


def test_a_form_of_another_site_does_not_log_in(world: World) -> None:
    with world.client(headers={**PAGE, "Sec-Fetch-Site": "cross-site"}) as browser:
        assert browser.post("/login", data={"username": "member", "password": PASSWORD}).status_code == 403


def test_a_person_without_a_login_is_shown_the_login_page_and_comes_back(world: World) -> None:
    with world.client(headers=PAGE) as browser:
        away = browser.get("/REST/projects/HIDDEN?format=html")
        assert away.status_code == 302
        assert away.headers["location"] == "/app/template/Login.vm?to=/REST/projects/HIDDEN%3Fformat%3Dhtml"
        page = browser.get(away.headers["location"])
        assert page.status_code == 200
        assert 'name="to" value="/REST/projects/HIDDEN?format=html"' in page.text
        form = {"username": "member", "password": PASSWORD, "to": "/REST/projects/HIDDEN?format=html"}
        wrong = browser.post("/login", data={**form, "password": "wrong"}, follow_redirects=True)
        assert 'value="/REST/projects/HIDDEN?format=html"' in wrong.text
        assert browser.post("/login", data=form).headers["location"] == form["to"]
    with world.client(headers={"Accept": "*/*"}) as script:
        assert script.get("/data/projects").status_code == 401


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "/\tevil",
        "/x\r\nSet-Cookie: a=b",
        "evil",
        "",
    ],
)
def test_the_login_page_leads_nowhere_else(world: World, to: str) -> None:
    form = {"username": "member", "password": PASSWORD, "to": to}
    with world.client(headers=PAGE) as browser:
        assert browser.post("/login", data=form).headers["location"] == "/"
    with world.client(headers=PAGE) as browser:
        assert 'name="to" value="/"' in browser.get("/app/template/Login.vm", params={"to": to}).text
        if to.startswith("http"):  # once: who is refused too often is told to wait
            refused = browser.post("/login", data={**form, "password": "wrong"})
            assert refused.headers["location"] == "/?refused=1&to=%2F"
    world.site.archive.verify_password("member", PASSWORD, "127.0.0.1")


# Open and closed sites


def test_a_site_is_closed_until_an_administrator_opens_it(world: World) -> None:
    assert world.ask("", "GET", "/data/projects/OPEN").status_code == 401
    assert world.ask("admin", "POST", "/xapi/siteConfig", json={"requireLogin": False}).status_code == 200
    try:
        assert world.ask("", "GET", "/data/projects/OPEN/subjects/one").status_code == 200
        assert world.ask("", "GET", "/data/projects/SEEN").status_code == 200
        assert world.ask("", "GET", "/data/projects/SEEN/subjects/one").status_code == 404
        assert world.ask("", "GET", "/data/projects/HIDDEN").status_code == 404
        assert world.ask("", "GET", "/data/auth").text == "User 'guest' is logged in"
        assert world.ask("", "PUT", "/data/projects/OPEN/accessibility/private").status_code == 403
        assert world.ask("", "GET", "/data/users").status_code == 403
        assert world.ask("", "GET", "/data/services/tokens/issue/user/member").status_code == 403
        with world.client() as client:
            assert client.get("/data/projects/OPEN", auth=("member", "wrong")).status_code == 401
    finally:
        world.ask("admin", "POST", "/xapi/siteConfig", json={"requireLogin": True})
    assert world.ask("", "GET", "/data/projects/OPEN").status_code == 401


# Guessing


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch, world: World) -> Site:
    """Three free guesses at an account, six from an address."""
    few = {"pair": Limit(3, 4.0), "account": Limit(3, 4.0), "address": Limit(6, 4.0)}
    monkeypatch.setattr("connectomedb.store.throttle.LIMITS", few)
    # A pause that a slow machine does not sit out by itself.
    monkeypatch.setattr(Limit, "pause_s", lambda self, n_wrong: 4.0 if n_wrong >= self.n_free else 0.0)
    with world.site.archive.engine.begin() as connection:
        connection.execute(login_attempt.delete())
    return world.site


def test_guessing_is_slowed_with_a_clear_answer_and_never_for_good(strict: Site, world: World) -> None:
    login = world.person()
    with world.client() as client:
        wrong = [client.get("/data/auth", auth=(login, f"guess-{n}")) for n in range(5)]
        assert [one.status_code for one in wrong] == [401, 401, 401, 429, 429]
        assert wrong[-1].headers["retry-after"] in ("1", "2", "3", "4")
        assert "try again in" in wrong[-1].text
        # Not even the right one is looked at within the pause.
        assert client.get("/data/auth", auth=(login, PASSWORD)).status_code == 429
        form = client.put("/data/services/auth", data={"username": login, "password": PASSWORD})
        assert (form.status_code, form.text[:4]) == (429, "<h3>")
        assert client.post("/login", data={"username": login, "password": PASSWORD}).status_code == 429
        time.sleep(4.2)
        assert client.get("/data/auth", auth=(login, PASSWORD)).status_code == 200
        client.cookies.clear()
        # And what was counted is forgotten.
        assert client.get("/data/auth", auth=(login, "guess")).status_code == 401
        assert client.get("/data/auth", auth=(login, "guess-again")).status_code == 401
    with open_site(strict.folder) as second:  # another process counts on
        assert not _is_right(second, login, "guess-once-more", "127.0.0.1")
        with pytest.raises(TooManyAttempts):
            second.archive.verify_password(login, PASSWORD, "127.0.0.1")


def test_who_is_logged_in_or_known_is_not_held_up_by_guessers(strict: Site, world: World) -> None:
    login = world.person()
    archive = strict.archive
    archive.verify_password(login, PASSWORD, "192.0.2.1")
    archive.people.accounts._passwords.forget()
    with world.client(login) as client:
        for n in range(3):
            assert not _is_right(strict, login, f"guess-{n}", f"198.51.100.{n}")
        with pytest.raises(TooManyAttempts):  # the account, from everywhere
            archive.verify_password(login, PASSWORD, "203.0.113.9")
        assert archive.verify_password(login, PASSWORD, "192.0.2.1").login == login
        assert client.get("/data/auth").status_code == 200


def _is_right(site: Site, login: str, password: str, address: str) -> bool:
    try:
        site.archive.verify_password(login, password, address)
    except BadCredentials:
        return False
    return True


def test_many_guesses_at_once_are_all_counted(strict: Site, world: World) -> None:
    login = world.person()

    def guess(n: int) -> int:
        with world.client() as client:
            return client.get("/data/auth", auth=(login, f"guess-{n}")).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(guess, range(24)))
    assert statuses.count(401) <= 4
    assert set(statuses) <= {401, 429}


def test_many_right_requests_at_once_are_all_served(strict: Site, world: World) -> None:
    login = world.person()

    def ask(_: int) -> int:
        with world.client() as client:
            return client.get("/data/auth", auth=(login, PASSWORD)).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, range(24))) == {200}


def test_pauses_double_and_are_forgotten(world: World) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)]
    throttle = Throttle(world.site.archive.engine, clock=lambda: moments[0])
    waits = []
    for _ in range(30):
        try:
            throttle.begin("somebody-guessed", "203.0.113.77")
        except TooManyAttempts as refused:
            waits.append(round(refused.retry_after_s))
            moments[0] += timedelta(seconds=refused.retry_after_s)
    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert max(waits) <= LIMITS["pair"].longest_pause_s
    moments[0] += timedelta(seconds=901)
    for _ in range(8):
        throttle.begin("somebody-guessed", "203.0.113.77")


def test_half_a_network_of_ipv6_is_one_address(strict: Site) -> None:
    throttle = Throttle(strict.archive.engine)
    for n in range(6):
        throttle.begin(f"victim{n}", f"2001:db8:1:2::{n + 1}")
    with pytest.raises(TooManyAttempts):
        throttle.begin("victim", "2001:db8:1:2::99")
    throttle.begin("victim", "2001:db8:1:3::1")
