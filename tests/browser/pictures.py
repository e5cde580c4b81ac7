"""Writes the pictures of the documentation: `python -m tests.browser.pictures [name ...]`, without a name all of them.

They show the demo as it opens, on its own day, so the same code gives the same pictures.
"""

from __future__ import annotations

import base64
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ew_app.config import load_settings
from ew_app.local import Servers
from ew_app.services.system import demo_past, upkeep
from tests.browser.conftest import sign_in
from tests.browser.system import System, running
from tests.browser.window import PHONE, WIDE, chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
TALL = {"width": 1280, "height": 1100}
PALETTE = 256
ON_THE_WAY = "import-check"
PIXELS = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}"""


def main(names: list[str]) -> None:
    wanted = names or [ON_THE_WAY, *PICTURES]
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        system = stack.enter_context(_district())
        browser = stack.enter_context(chromium(stack.enter_context(sync_playwright())))
        _bring_in_today(browser, system, with_picture=ON_THE_WAY in wanted)
        for name in wanted:
            if name in PICTURES:
                login, size, show = PICTURES[name]
                page = _page(browser, system, login, size)
                show(page)
                _keep(page, name)


@contextmanager
def _district() -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="ew-pictures-") as folder:
        Path(folder).chmod(0o711)  # as root the servers are another user
        env = {"EW_DATA_DIR": folder, "EW_SECRET_KEY": "a key for pictures only"}
        with Servers(load_settings(env), fast=True) as ready:
            with System(ready).inside():
                upkeep.upgrade()
            with running(ready, students=demo_past.STUDENTS) as system:
                yield system


def _page(browser: Browser, system: System, login: str, size: Any) -> Page:
    page = browser.new_context(base_url=system.address, viewport=size, reduced_motion="reduce").new_page()
    sign_in(page, login)
    page.goto("/")  # without the greeting
    return page


def _bring_in_today(browser: Browser, system: System, *, with_picture: bool) -> None:
    """Today's file as the clerk sends it: first with three wrong rows, which are a picture and put away, then right."""
    page = _page(browser, system, "attendance_clerk", WIDE)
    rows = (system.todays_files / "attendance.csv").read_text(encoding="utf-8").splitlines()
    student, school, day = rows[1].split(",")[:3]
    wrong = [f"{student},{school},2026-11-15,A,,,", f"4417,{school},{day},A,,,", f"4418,{school},{day},AE,,,"]
    if with_picture:
        _send(page, "\n".join([*rows, *wrong]))
        _keep(page, ON_THE_WAY)
        page.get_by_role("button", name="Cancel, keep nothing").click()
        page.wait_for_load_state()
    _send(page, "\n".join(rows), covers=(system.todays_files / "covers.csv").read_text(encoding="utf-8"))
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("rows are in", timeout=120_000)


def _send(page: Page, rows: str, **beside: str) -> None:
    page.goto("/imports")
    files = {"attendance": rows} | beside
    sent: Any = [
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()} for name, text in files.items()
    ]
    page.get_by_label("Attendance file").set_input_files(sent)
    page.get_by_role("button", name="Send and check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("can go in", timeout=120_000)


# -- what each picture shows -----------------------------------------------------------------------------------


def _at(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def _first_case(page: Page) -> None:
    page.goto("/caseload?view=mine")
    page.locator("table.list tbody").get_by_role("link").first.click()
    page.wait_for_url("**/cases/*")


def _log_a_contact(page: Page) -> None:
    _first_case(page)
    page.goto(f"{page.url}/outreach")
    page.get_by_role("radio", name="Left a voicemail").check()


def _cause(page: Page) -> None:
    _first_case(page)
    page.goto(f"{page.url}/causes")
    page.get_by_label("What gets in the way?").select_option("B-TRANSPORT")
    page.get_by_role("radio", name="A parent or caregiver").check()


def _late_day(page: Page) -> None:
    page.goto("/late")
    page.locator("table.list tbody").get_by_role("link").first.click()
    page.wait_for_url("**/late/*")


PICTURES: Mapping[str, tuple[str, Any, Callable[[Page], object]]] = {
    "import": ("attendance_clerk", WIDE, _at("/imports")),
    "late": ("attendance_clerk", WIDE, _late_day),
    "fix": ("attendance_clerk", WIDE, _at("/fix")),
    "today": ("social_worker", WIDE, _at("/today")),
    "caseload": ("social_worker", WIDE, _at("/caseload?view=mine")),
    "case": ("social_worker", TALL, _first_case),
    "contact": ("social_worker", PHONE, _log_a_contact),
    "cause": ("social_worker", WIDE, _cause),
    "school": ("principal", WIDE, _at("/schools")),
    "network": ("district_analyst", WIDE, _at("/networks/N02")),
}


# -- small files -----------------------------------------------------------------------------------------------


def _keep(page: Page, name: str) -> None:
    """The window as it is, in at most 256 colours: a third of the size, and nobody sees it."""
    picture = base64.b64encode(page.screenshot(animations="disabled")).decode()
    blank = page.context.new_page()
    width, height, pixels = blank.evaluate(PIXELS, picture)
    blank.close()
    colours = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3]
    path = FOLDER / f"{name}.png"
    path.write_bytes(png(colours))
    print(f"{path.name}: {width} x {height}, {path.stat().st_size / 1000:.0f} kB")


def png(colours: NDArray[np.uint8]) -> bytes:
    """A PNG with a palette of the most frequent colours; each other colour becomes the nearest of them."""
    height, width, _ = colours.shape
    found, at, counts = np.unique(colours.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    kept = found[np.argsort(-counts)[:PALETTE]].astype(np.int32)
    nearest = ((found[:, None, :].astype(np.int32) - kept[None]) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with the number of its filter: none
    lines[:, 1:] = nearest[at.reshape(height, width)]
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (b"IHDR", header), (b"PLTE", kept.astype(np.uint8).tobytes()), (b"IDAT", zlib.compress(lines.tobytes(), 9))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


if __name__ == "__main__":
    main(sys.argv[1:])
