"""An Ed-Fi ODS/API as this product asks it: found by its own description, signed in, read page by page.

Reading is steady while others write. With change versions, a window that ends at a version read beforehand can only
lose rows (a row that changes gets a newer version), so its pages are read from the last to the first: a row that
slips forward is met twice, never missed. Where the API offers page tokens (7.3 and later) these hold the place.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ew_app.services.sources.edfi_host import Answer, ApiFault, Host

PAGE: Final = 500  # what an Ed-Fi API gives at most, unless its operator set less
_TOKEN_MARGIN: Final = 60  # seconds before its end in which a token is not used any more
_NOT_GIVEN: Final = frozenset({403, 404})
_WORDS: Final = {"dataManagementApi": "data", "changeQueries": "changes", "oauth": "token"}

Row = dict[str, Any]
Query = Mapping[str, Any]


class NotGiven(ApiFault):
    """This key may not read a resource (403), or the API has none of that name (404)."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where an API is and who asks. address: its root, with tenant and year where it has them in its path.

    token_address: only where signing in happens at another address than the API's own description says or may say.
    """

    address: str
    key: str
    secret: str = field(repr=False)
    token_address: str = ""
    page: int = PAGE


@dataclass(frozen=True, slots=True)
class Versions:
    """The change versions that an API can still tell of."""

    oldest: int
    newest: int


class EdfiApi:
    """One conversation with an API. ApiFault, from everything: a sentence why it cannot go on."""

    def __init__(self, access: Access, host: Host) -> None:
        self._access, self._host = access, host
        self._token, self._token_until = "", 0.0
        self._addresses = self._described()

    def versions(self) -> Versions | None:
        """The change versions, or None where the API keeps none (the feature is off)."""
        if not self._addresses["changes"]:
            return None
        try:
            said = self._get(f"{self._addresses['changes']}/availableChangeVersions").said
        except NotGiven:
            return None
        known = {name.lower(): value for name, value in said.items()} if isinstance(said, dict) else {}
        try:
            return Versions(int(known.get("oldestchangeversion", 0)), int(known["newestchangeversion"]))
        except (KeyError, TypeError, ValueError):
            raise ApiFault("The API does not say its newest change version in a form that is known.") from None

    def try_out(self, resource: str) -> None:
        """Ask for one row, to learn whether this key may read a resource at all. NotGiven."""
        self._page(resource, {"limit": 1})

    def count(self, resource: str, query: Query) -> int | None:
        """How many rows a resource has now; None where the API does not count."""
        return _total(self._page(resource, {**query, "limit": 1, "totalCount": "true"}))

    def pages(self, resource: str, query: Query) -> Iterator[list[Row]]:
        """All rows of a resource, a page at a time, in any order; a row that moved meanwhile may come twice.

        resource: as students, or students/deletes. NotGiven.
        """
        first = self._page(resource, {**query, "limit": self._access.page, "totalCount": "true"})
        total, rows = _total(first), _rows(first)
        if first.headers.get("next-page-token"):
            yield from self._by_token(resource, query, first, total)
        elif total is None:
            yield from self._onward(resource, query, rows)
        elif total <= len(rows):
            yield rows
        else:
            yield from self._backward(resource, query, total)

    # -- three ways through the pages ------------------------------------------------------------------------

    def _by_token(self, resource: str, query: Query, first: Answer, total: int | None) -> Iterator[list[Row]]:
        """From token to token; where that brought fewer rows than there are, once more from the last page."""
        yield (rows := _rows(first))
        count, answer, met = len(rows), first, set[str]()
        while token := answer.headers.get("next-page-token", ""):
            if token in met:
                raise ApiFault(f"The API goes in circles through the pages of {resource}.")
            met.add(token)
            answer = self._page(resource, {**query, "pageToken": token, "pageSize": self._access.page})
            yield (rows := _rows(answer))
            count += len(rows)
        if total is not None and count < total and count < (left := self.count(resource, query) or 0):
            yield from self._backward(resource, query, left)

    def _backward(self, resource: str, query: Query, total: int) -> Iterator[list[Row]]:
        page, before = self._access.page, set[Any]()
        for offset in range((total - 1) // page * page, -1, -page):
            rows = _rows(self._page(resource, {**query, "offset": offset, "limit": page}))
            yield [row for row in rows if row.get("id") is None or row["id"] not in before]
            before = {row.get("id") for row in rows}

    def _onward(self, resource: str, query: Query, rows: list[Row]) -> Iterator[list[Row]]:
        """Where nothing is counted: until a page is empty."""
        offset = 0
        while rows:
            yield rows
            offset += len(rows)
            rows = _rows(self._page(resource, {**query, "offset": offset, "limit": self._access.page}))

    def _page(self, resource: str, query: Query) -> Answer:
        return self._get(f"{self._addresses['data']}/ed-fi/{resource}", query)

    # -- asking ----------------------------------------------------------------------------------------------

    def _get(self, url: str, query: Query | None = None) -> Answer:
        """A good answer; signs in again when the token has come to its end on the way."""
        answer = self._host.ask(url, query, headers={"Authorization": f"Bearer {self._bearer()}"})
        if answer.status == 401:
            self._token = ""
            answer = self._host.ask(url, query, headers={"Authorization": f"Bearer {self._bearer()}"})
        if answer.status in _NOT_GIVEN:
            raise NotGiven(f"The API does not give {url.rsplit('/ed-fi/', 1)[-1]} to this key ({answer.status}).")
        if answer.status == 401:
            raise ApiFault("The API refuses its own token. Ask the people who run it whether the key is still good.")
        if answer.status != 200:
            raise ApiFault(f"The API refuses the question for {url.rsplit('/ed-fi/', 1)[-1]} ({answer.status}).")
        return answer

    def _bearer(self) -> str:
        if not self._token or time.monotonic() > self._token_until:
            self._sign_in()
        return self._token

    def _sign_in(self) -> None:
        secret = b64encode(f"{self._access.key}:{self._access.secret}".encode()).decode()
        answer = self._host.ask(
            self._addresses["token"],
            headers={"Authorization": f"Basic {secret}"},
            form={"grant_type": "client_credentials"},
        )
        said = answer.said if isinstance(answer.said, dict) else {}
        if answer.status != 200 or not said.get("access_token"):
            raise ApiFault(
                f"The API does not accept the key and secret ({answer.status}). Ask for new ones, or mend the file."
            )
        self._token = str(said["access_token"])
        lasts = said.get("expires_in", 0)
        lasts = float(lasts) if isinstance(lasts, int | float) or str(lasts).isdigit() else 0.0
        self._token_until = time.monotonic() + max(lasts - _TOKEN_MARGIN, lasts / 2)

    def _described(self) -> dict[str, str]:
        """The API's addresses, from the description at its root."""
        root = self._access.address.rstrip("/")
        answer = self._host.ask(f"{root}/", headers={})
        urls = answer.said.get("urls") if isinstance(answer.said, dict) else None
        if not isinstance(urls, dict) or not urls.get("dataManagementApi"):
            raise ApiFault(
                f"At {root} there is no description of an Ed-Fi API ({answer.status}). "
                "Give the root of the API, with its tenant and year where it has them."
            )
        found = {ours: str(urls.get(theirs) or "").rstrip("/") for theirs, ours in _WORDS.items()}
        found["token"] = self._access.token_address or found["token"] or f"{root}/oauth/token"
        if any("{" in address for address in found.values()):
            raise ApiFault("The API has several tenants or years. Give the address with the one that is meant.")
        return found


def _rows(answer: Answer) -> list[Row]:
    if not isinstance(answer.said, list) or not all(isinstance(row, dict) for row in answer.said):
        raise ApiFault("The API answered with something else than a list of rows.")
    return answer.said


def _total(answer: Answer) -> int | None:
    text = answer.headers.get("total-count", "")
    return int(text) if text.isdigit() else None
