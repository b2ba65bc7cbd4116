"""What a server may do wrong, done by a real one on the loopback: each is the exception it means."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from connectomedb.client.core import Core
from connectomedb.client.interface import Interface
from connectomedb.client.transport import NetworkTransport, RecordingTransport
from connectomedb.errors import (
    AccessDenied,
    BadCredentials,
    LoginExpired,
    NoSuchProject,
    QueryError,
    ServerFault,
    ServerTimeout,
    ServerUnreachable,
)

Answer = tuple[int, dict[str, str], bytes]
Script = Callable[[str, str, dict[str, str]], Answer | None]
LOGIN_PAGE = b'<!DOCTYPE html><html><form><input type="password"></form></html>'


class Peer:
    """A server that answers as its script says; None cuts the connection."""

    def __init__(self) -> None:
        self.script: Script = lambda method, path, headers: (200, {}, b"ID,name\n")
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.rfile.read(int(headers.get("content-length", 0)))
                peer.asked.append((self.command, self.path, headers))
                said = peer.script(self.command, self.path, headers)
                if said is None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.send_response(said[0])
                for name, value in said[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said[2])))
                self.end_headers()
                self.wfile.write(said[2])

            do_GET = do_POST = do_DELETE = answer  # noqa: N815  # the base class calls them so

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # likewise
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    thread = Thread(target=peer.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield peer
    peer.server.shutdown()
    thread.join()
    peer.server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (401, b"no", BadCredentials, "wrong"),
        (403, b"closed", AccessDenied, "closed"),
        (404, b"no project HCP_Q9", NoSuchProject, "no project HCP_Q9"),
        (400, b"unknown field 'X'", QueryError, "unknown field 'X'"),
        (500, b"it broke", ServerFault, "it broke"),
        (200, b"<html>maintenance</html>", ServerFault, "sent a web page where data was promised"),
        (200, LOGIN_PAGE, LoginExpired, "login"),
        (200, b"", ServerFault, "nothing where a table"),
        (200, b"garbage\n", ServerFault, "not a table"),
    ],
)
def test_bad_answers_are_named(
    peer: Peer, status: int, body: bytes, error: type[Exception], said: str
) -> None:
    peer.script = lambda method, path, headers: (status, {}, body)
    with pytest.raises(error, match=said) as caught:
        Interface(peer.url, "u", "secret-word").select.project("HCP_Q9").subjects().get()
    assert "secret-word" not in str(caught.value)


def test_an_ended_login_renews_itself(peer: Peer) -> None:
    def script(method: str, path: str, headers: dict[str, str]) -> Answer:
        if "authorization" in headers:
            return 200, {"Set-Cookie": f"JSESSIONID={len(peer.asked):032X}; Path=/"}, b"ID,name\nHCP_Q1,Q1\n"
        return 401, {}, b"The request requires user authentication"

    peer.script = script
    cdb = Interface(peer.url, "u", "p")
    assert cdb.select.projects().get() == ["HCP_Q1"]
    assert cdb.select.projects().get() == ["HCP_Q1"]
    assert ["authorization" in headers for _, _, headers in peer.asked] == [True, False, True]


def test_a_login_that_cannot_be_renewed_is_expired(peer: Peer) -> None:
    peer.script = lambda m, p, h: (
        (200, {"Set-Cookie": "JSESSIONID=AB; Path=/"}, b"ID,name\n")
        if len(peer.asked) == 1
        else (401, {}, b"no")
    )
    cdb = Interface(peer.url, "u", "p")
    assert cdb.select.projects().get() == []
    with pytest.raises(LoginExpired):
        cdb.select.projects().get()


def test_a_cut_connection_is_tried_twice_again(peer: Peer) -> None:
    peer.script = lambda m, p, h: None if len(peer.asked) < 3 else (200, {}, b"ID,name\nA,a\n")
    assert Interface(peer.url, "u", "p").select.projects().get() == ["A"]
    assert len(peer.asked) == 3


def test_a_post_is_not_repeated(peer: Peer) -> None:
    peer.script = lambda m, p, h: None
    with pytest.raises(ServerUnreachable):
        Core(peer.url, "u", "p").send("POST", "/data/search")
    assert len(peer.asked) == 1


def test_a_server_that_is_down(peer: Peer) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnreachable, match="is the address right"):
            Interface(f"http://127.0.0.1:{held.getsockname()[1]}", "u", "p").select.projects().get()


def test_a_silent_server_times_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServerTimeout):
            Core(url, "u", "p", transport=NetworkTransport(timeout_s=0.1)).send("GET", "/")


def test_garbage_json(peer: Peer) -> None:
    peer.script = lambda m, p, h: (200, {}, b"{oops")
    with pytest.raises(ServerFault, match="not JSON"):
        Core(peer.url, "u", "p").offer()


def test_exists_is_false_only_for_absence(peer: Peer) -> None:
    cdb = Interface(peer.url, "u", "p")
    assert not cdb.select.project("HCP_Q9").exists()
    peer.script = lambda m, p, h: (500, {}, b"broken")
    with pytest.raises(ServerFault):
        cdb.select.project("HCP_Q9").exists()


def test_labels_of_all_subjects_are_one_request(peer: Peer) -> None:
    rows = "".join(f"S{i},{100000 + i}\n" for i in range(76))
    peer.script = lambda m, p, h: (200, {}, ("ID,label\n" + rows).encode())
    counting = RecordingTransport(NetworkTransport())
    q1 = Interface(peer.url, "u", "p", transport=counting).select.project("HCP_Q1")
    assert [s.label() for s in q1.subjects()] == [str(100000 + i) for i in range(76)]
    assert len(counting.requests) == 1


def test_a_document_is_fetched_once_until_refreshed(peer: Peer) -> None:
    peer.script = lambda m, p, h: (200, {}, b'<n:A xmlns:n="urn:n"><n:B><n:C>39</n:C></n:B></n:A>')
    experiment = Interface(peer.url, "u", "p").select.project("Q").experiment("E")
    assert [e.text for e in experiment.xpath("n:B/n:C")] == ["39"]
    assert [e.text for e in experiment.xpath("n:B/*")] == ["39"]
    assert len(peer.asked) == 1
    experiment.refresh()
    experiment.get()
    assert len(peer.asked) == 2


def test_a_question_that_is_redirected_is_refused_not_lost(peer: Peer) -> None:
    peer.script = lambda method, path, headers: (302, {"Location": "https://new.example.org/"}, b"")
    with pytest.raises(ServerFault, match=r"has moved to https://new\.example\.org/; connect to that server"):
        Interface(peer.url).select("nt:scores", ["nt:scores/SUBJECT_ID"]).all()
    assert [method for method, _, _ in peer.asked] == ["POST"]


def test_columns_are_taken_by_name_not_by_place(peer: Peer) -> None:
    columns = [
        {
            "key": "subjectid",
            "element_name": "nt:scores",
            "id": "SUBJECT_ID",
            "header": "x",
            "type": "string",
        },
        {"key": "link"},
        {"key": "neo_neofac_a", "element_name": "nt:scores", "id": "NEO_NEOFAC_A", "type": "integer"},
        {"key": "quarantine_status"},
    ]
    answer = {"Columns": columns, "Result": [dict.fromkeys(("subjectid", "link", "neo_neofac_a"), "7")]}
    body = json.dumps({"ResultSet": answer}).encode()
    peer.script = lambda method, path, headers: (200, {}, body)
    scores = Interface(peer.url).select("nt:scores", ["nt:scores/NEOFAC_A", "nt:scores/SUBJECT_ID"])
    assert scores.all().headers() == ["neo_neofac_a", "subjectid"]
    with pytest.raises(ServerFault, match="without the columns nt:scores/AGE"):
        Interface(peer.url).select("nt:scores", ["nt:scores/AGE"]).all()
