"""The conversation with an Ed-Fi API, against a server that speaks it: sign-in, pages, and what goes wrong."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Request, Response

from ew_app.services.sources.edfi_api import Access, EdfiApi, NotGiven, Versions
from ew_app.services.sources.edfi_host import ApiFault, Host
from tests.edfi_district import DAYS, EVENTS, HERE, api_of, event, student
from tests.edfi_server import EdfiServer, cut_off, once, running, slow, status, torn


def many(server: EdfiServer, number: int = 23) -> list[str]:
    """The district with so many students more, and all their ids."""
    server.put("students", *(student(f"9{place:05}") for place in range(number)))
    return sorted(stored.row["studentUniqueId"] for stored in server.rows["students"].values())


def ids(api: EdfiApi, **query: int) -> list[str]:
    return sorted(row["studentUniqueId"] for page in api.pages("students", query) for row in page)


# -- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "counts"), [(False, True), (True, True), (False, False)])
def test_every_row_comes_once_however_the_api_pages(server: EdfiServer, tokens: bool, counts: bool) -> None:
    everyone = many(server)
    server.page_tokens, server.counts = tokens, counts
    assert ids(api_of(server, page=5)) == everyone


def test_a_row_that_leaves_the_window_while_it_is_read_hides_no_other(server: EdfiServer) -> None:
    everyone = many(server)

    def changes_the_first(request: Request) -> Response | None:
        if "offset=15" in request.full_path:
            server.put("students", student(everyone[0], "Anna"))
        return None

    server.faults.append(changes_the_first)
    found = ids(api_of(server, page=5), maxChangeVersion=server.version)
    assert set(found) >= set(everyone[1:])


def test_tokens_that_end_too_early_are_not_believed(server: EdfiServer) -> None:
    everyone = many(server)
    server.page_tokens = True

    def forgets_the_token(request: Request) -> Response | None:
        server.page_tokens = "pageToken" not in request.full_path
        return None

    server.faults.append(forgets_the_token)
    assert set(ids(api_of(server, page=5))) == set(everyone)


def test_a_window_has_only_what_changed_in_it(server: EdfiServer) -> None:
    before = server.version
    server.put(EVENTS, event(DAYS[4]), event(DAYS[5]))
    api = api_of(server)
    (page,) = api.pages(EVENTS, {"minChangeVersion": before + 1, "maxChangeVersion": before + 1})
    assert [row["eventDate"] for row in page] == [str(DAYS[4])]
    assert api.versions() == Versions(0, before + 2)


# -- sign-in -------------------------------------------------------------------------------------------------


def test_a_token_that_ends_on_the_way_is_renewed(server: EdfiServer) -> None:
    everyone = many(server)

    def forgets(request: Request) -> Response | None:
        if "offset=10" in request.full_path and server.signed_in == 1:
            server.forget_tokens()
        return None

    server.faults.append(forgets)
    assert ids(api_of(server, page=5)) == everyone
    assert server.signed_in == 2


def test_a_token_is_not_used_to_its_last_second(server: EdfiServer) -> None:
    server.token_seconds = 0
    api = api_of(server)
    with pytest.raises(ApiFault, match="refuses its own token"):
        ids(api)
    server.token_seconds = 1800
    assert len(ids(api)) == 3


def test_a_wrong_key_is_told_in_a_sentence_that_does_not_repeat_it(server: EdfiServer) -> None:
    api = EdfiApi(Access(server.address, "the-key", "a-wrong-secret"), Host(server.address, private=HERE))
    with pytest.raises(ApiFault, match="does not accept the key and secret") as told:
        ids(api)
    assert "a-wrong-secret" not in str(told.value) and not told.value.again
    assert "a-wrong-secret" not in repr(Access(server.address, "the-key", "a-wrong-secret"))


# -- a bad day of the network --------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [status(500), status(503), status(502), torn, cut_off, slow(0.8)])
def test_what_passes_is_asked_again(server: EdfiServer, answer: object) -> None:
    server.faults.append(once("students", answer, times=2))  # type: ignore[arg-type]
    pauses: list[float] = []
    assert len(ids(api_of(server, pauses))) == 3
    assert pauses == [0.01, 0.02]


def test_it_waits_as_long_as_it_is_asked_to(server: EdfiServer) -> None:
    server.faults.append(once("students", status(429, Retry_After="0")))
    server.faults.append(once("students", status(429, Retry_After="Sun, 22 Nov 2020 08:00:00 GMT")))
    pauses: list[float] = []
    assert len(ids(api_of(server, pauses))) == 3
    assert pauses == [0.0, 0.0]


def test_it_does_not_wait_for_ever(server: EdfiServer) -> None:
    server.faults.append(once("students", status(503, Retry_After="3600")))
    with pytest.raises(ApiFault, match="asks to wait 3600 seconds") as told:
        ids(api_of(server))
    assert told.value.again


def test_what_does_not_pass_is_given_up_with_a_sentence(server: EdfiServer) -> None:
    server.faults.append(once("students", status(500), times=99))
    pauses: list[float] = []
    with pytest.raises(ApiFault, match=r"busy or broken \(500\) at /data/v3/ed-fi/students. It was asked 4 times"):
        ids(api_of(server, pauses))
    assert pauses == [0.01, 0.02, 0.04]


def test_an_endless_answer_is_not_read(server: EdfiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ew_app.services.sources.edfi_host.LARGEST_ANSWER", 1 << 16)
    server.faults.append(once("students", lambda _: Response("[" + " " * (1 << 18) + "]")))
    with pytest.raises(ApiFault, match="was not read"):
        ids(api_of(server))


def test_a_resource_outside_the_claim_set_is_named(server: EdfiServer) -> None:
    server.refused["calendars"] = 403
    with pytest.raises(NotGiven, match=r"does not give calendars to this key \(403\)"):
        api_of(server).try_out("calendars")


def test_a_page_that_is_too_long_for_the_api_is_told(server: EdfiServer) -> None:
    server.page = 100
    with pytest.raises(ApiFault, match=r"refuses the question for students \(400\)"):
        ids(api_of(server))
    assert len(ids(api_of(server, page=100))) == 3


# -- where it goes, and where it does not --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://api.example.org", "Use https://api.example.org"),
        ("ftp://api.example.org", "must look like https://"),
        ("https://key:secret@api.example.org", "without a key in it"),
        ("api.example.org", "must look like https://"),
        ("https://api.example.org:none", "must look like https://"),
    ],
)
def test_addresses_that_are_not_used(address: str, told: str) -> None:
    with pytest.raises(ApiFault, match=told):
        Host(address)


@pytest.mark.parametrize("word", ["oauth", "dataManagementApi", "changeQueries"])
def test_no_other_host_gets_a_question_or_the_key(server: EdfiServer, word: str) -> None:
    with running(EdfiServer()) as other:
        server.also = {word: f"{other.address}/oauth/token"}
        with pytest.raises(ApiFault, match="is not the address that was set up. Nothing was sent there"):
            api = api_of(server)
            api.versions()
            ids(api)
        assert other.asked == []


@pytest.mark.parametrize("private", [(), ("ods.example.org",)])
def test_an_address_inside_our_own_network_is_asked_only_where_the_operator_named_it(
    server: EdfiServer, private: tuple[str, ...]
) -> None:
    for address in (server.address, server.address.replace("127.0.0.1", "localhost")):
        with pytest.raises(ApiFault, match="leads to an address inside this network"):
            EdfiApi(Access(address, "k", "s"), Host(address, private=private))
    assert server.asked == []


def test_a_sign_in_service_at_another_address_may_be_named(server: EdfiServer) -> None:
    with running(EdfiServer()) as other:
        elsewhere = f"{other.address}/oauth/token"
        host = Host(server.address, also=elsewhere, private=HERE)
        api = EdfiApi(Access(server.address, server.key, server.secret, token_address=elsewhere), host)
        with pytest.raises(ApiFault, match="refuses its own token"):
            ids(api)  # signed in there; only here nobody knows that token
        assert other.signed_in == 2


def test_redirects_are_not_followed(server: EdfiServer) -> None:
    with running(EdfiServer()) as other:
        server.faults.append(once("students", status(302, Location=f"{other.address}/data/v3/ed-fi/students")))
        with pytest.raises(ApiFault, match="sends /data/v3/ed-fi/students on to another address"):
            ids(api_of(server))
        assert other.asked == []


def test_without_a_safe_connection_nothing_is_said(server: EdfiServer) -> None:
    address = server.address.replace("http://", "https://")
    with pytest.raises(ApiFault, match="There is no safe connection to 127.0.0.1"):
        EdfiApi(Access(address, "k", "s"), Host(address, private=HERE))
    assert server.asked == []


def test_what_is_no_api_says_so(server: EdfiServer) -> None:
    with pytest.raises(ApiFault, match="there is no description of an Ed-Fi API"):
        EdfiApi(Access(f"{server.address}/oauth", "k", "s"), Host(server.address, private=HERE))
    server.also = {"dataManagementApi": f"{server.address}/{{tenant}}/data/v3/"}
    with pytest.raises(ApiFault, match="several tenants or years"):
        api_of(server)
