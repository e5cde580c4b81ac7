"""The way to the district's mail server: one message handed over, or a word on why not.

Always encrypted, but for a server on this very machine. Only what the server said before it had the whole message is a
refusal for sure; whatever breaks later is unclear, because it may have taken it.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from ew_app.kernel import settings

SILENCE = 30.0  # seconds without an answer
PORTS = {"smtp": 587, "smtps": 465}
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class MailFault(Exception):
    """Why a message was not handed over; `str()` is a sentence for whoever runs the system, and holds no address.

    for_good: trying again will not mend it. unclear: the server may have taken it all the same.
    """

    def __init__(self, sentence: str, *, for_good: bool = False, unclear: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good
        self.unclear = unclear


def is_set_up() -> bool:
    """Whether this installation has a mail server."""
    return settings().smtp_url is not None


def hand_over(message: EmailMessage, to: str) -> None:
    """Give one message to the mail server for one address. Raises MailFault."""
    with _line() as server:
        _say(server.mail, message["From"].addresses[0].addr_spec, "the sender")
        _say(server.rcpt, to, "the address")
        try:
            code = server.data(message.as_bytes())[0]
        except smtplib.SMTPDataError as refused:
            code = refused.smtp_code
        except (smtplib.SMTPServerDisconnected, OSError) as broken:
            raise MailFault(
                f"The line broke while the message was handed over ({type(broken).__name__}).", unclear=True
            ) from broken
        _check(code, "the message")


def _say(verb: Callable[[str], tuple[int, bytes]], address: str, what: str) -> None:
    try:
        code = verb(address)[0]
    except (smtplib.SMTPException, OSError) as broken:
        raise MailFault(f"The line to the mail server broke ({type(broken).__name__}).") from broken
    _check(code, what)


def _check(code: int, what: str) -> None:
    if code >= 400:
        raise MailFault(f"The mail server did not take {what} ({code}).", for_good=code >= 500)


@contextmanager
def _line() -> Iterator[smtplib.SMTP]:
    """A line to the server, encrypted and signed in."""
    try:
        server = _open()
    except ssl.SSLError as untrusted:
        raise MailFault("The mail server's certificate is not trusted by this machine.") from untrusted
    except smtplib.SMTPAuthenticationError as refused:
        raise MailFault("The mail server did not take the user and password of EW_SMTP_URL.") from refused
    except smtplib.SMTPException as refused:
        raise MailFault(f"The mail server cannot be used ({type(refused).__name__}).") from refused
    except OSError as away:
        raise MailFault("The mail server does not answer.") from away
    try:
        yield server
    finally:
        _close(server)


def _open() -> smtplib.SMTP:
    where = urlsplit(settings().smtp_url or "")
    host, port = where.hostname or "", where.port or PORTS[where.scheme]
    trust = ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SILENCE, context=trust)
    else:
        server = smtplib.SMTP(host, port, timeout=SILENCE)
    try:
        if where.scheme == "smtp":
            _encrypt(server, host, trust)
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def _encrypt(server: smtplib.SMTP, host: str, trust: ssl.SSLContext) -> None:
    """Never in the clear over a network: a server that offers no encryption is not told anything."""
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=trust)
    elif host not in HERE:
        raise MailFault("The mail server offers no encryption, so nothing was sent.")


def _close(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
