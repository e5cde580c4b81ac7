"""A source that is an Ed-Fi API: what has to be known of it, and how a look at it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ew_app.kernel import Refused, settings
from ew_app.services.sources.edfi_api import PAGE, Access, EdfiApi, NotGiven
from ew_app.services.sources.edfi_host import ApiFault, Host
from ew_app.services.sources.edfi_pull import Wanted, pull
from ew_app.services.sources.edfi_reading import NEEDED
from ew_app.services.sources.fetching import Answer, Ask, CannotFetch, Fetched, Field, Found
from ew_app.services.sources.secrets import checked_name, secret_for

# What changed is about any number of schools, and names only whose row changed.
_OPTIONS: Final = {"changes": True, "limits": {"least_schools": 0}}
SECONDS: Final = 120.0  # of reading attendance in one look; the schools that are left come with the next
_YES: Final = frozenset({"yes", "true", "1", "on"})


class EdfiFetcher:
    """Reads an Ed-Fi API by its change versions. What deliveries are known again by is the cursor alone."""

    fields: Sequence[Field] = (
        Field("address", "Address of the API", "Its root, such as https://api.example.org/2027.", required=True),
        Field("key", "Key", "The client key that the people who run the API gave you.", required=True),
        Field("secret", "Where the secret is", "Such as EW_SOURCE_EDFI_SECRET.", Answer.SECRET, required=True),
        Field("sections", "Read the attendance of class sections too", answer=Answer.YES_NO, default="no"),
        Field("page", "Rows a page", "Less only where the API allows less.", Answer.NUMBER, default=str(PAGE)),
        Field("token_address", "Address for signing in", "Only where it is not on the API's own host."),
        Field("certificates", "File with trusted certificates", "Only where those of this machine do not do."),
    )

    def checked(self, location: Mapping[str, Any]) -> dict[str, Any]:
        """The location as it is kept. Refused, with a sentence; nothing is asked of the API."""
        said = {field.name: str(location.get(field.name) or field.default).strip() for field in self.fields}
        if missing := [field.label for field in self.fields if field.required and not said[field.name]]:
            raise Refused(f"Say also: {', '.join(missing)}.")
        if not said["page"].isdigit() or not 1 <= int(said["page"]) <= PAGE:
            raise Refused(f"A page has between 1 and {PAGE} rows.")
        try:
            Host(said["address"], also=said["token_address"]).close()
        except ApiFault as fault:
            raise Refused(str(fault)) from fault
        kept = {name: text for name, text in said.items() if text}
        return kept | {
            "secret": checked_name(said["secret"]),
            "sections": said["sections"].lower() in _YES,
            "page": int(said["page"]),
        }

    def test(self, ask: Ask) -> list[str]:
        """Sign in and say what the key may read; takes nothing."""
        wanted = _wanted(ask)
        with _talking(ask) as api:
            versions = api.versions()
            counted = "counts its changes" if versions else "keeps no change versions, so everything is read each time"
            told = [f"Signed in. The API {counted}."]
            for resource in wanted.resources:
                try:
                    count = api.count(resource, {})
                    told.append(f"{resource}: {'given' if count is None else f'{count:,}'}.")
                except NotGiven as refused:
                    told.append(f"{refused}{' It is needed.' if resource in NEEDED else ''}")
        return told

    def fetch(self, ask: Ask, into: Path) -> Fetched:
        """What changed since the cursor, as one delivery. A cursor of another address is of no use."""
        address = ask.location["address"]
        since = ask.cursor if ask.cursor and ask.cursor.get("address") == address else None
        with _talking(ask) as api:
            found = pull(api, since, into, _wanted(ask))
        deliveries = (Found(_name(found.cursor), (into,), options=_OPTIONS),) if found.files else ()
        cursor = {**found.cursor, "address": address}
        return Fetched(deliveries, cursor=cursor, told=found.told, again=found.unfinished)

    def clear(self, ask: Ask) -> None:
        """Nothing lies about at an API."""


FETCHER: Final = EdfiFetcher()


@contextmanager
def _talking(ask: Ask) -> Iterator[EdfiApi]:
    """A conversation with the API of a source. CannotFetch, from everything in the block."""
    said = ask.location
    asked = [said["address"], said.get("token_address") or said["address"]]
    value = secret_for(said["secret"], *(urlsplit(address).hostname or "" for address in asked))
    access = Access(said["address"], said["key"], value, said.get("token_address", ""), said["page"])
    try:
        host = Host(
            access.address,
            also=access.token_address,
            certificates=said.get("certificates"),
            private=_private_hosts(),
        )
        with closing(host):
            yield EdfiApi(access, host)
    except ApiFault as fault:
        raise CannotFetch(str(fault), again=fault.again) from fault


def _private_hosts() -> frozenset[str]:
    """What the operator of this system, and nobody on a form, says of our own network."""
    return frozenset(name.strip().lower() for name in (settings().private_hosts or "").split(",") if name.strip())


def _wanted(ask: Ask) -> Wanted:
    return Wanted(
        roster=ask.brings != "attendance",
        attendance=ask.brings != "roster",
        sections=bool(ask.location.get("sections")),
        seconds=SECONDS,
    )


def _name(cursor: Mapping[str, Any]) -> str:
    return f"Ed-Fi API up to change {cursor['version']}" if cursor.get("version") is not None else "Ed-Fi API"
