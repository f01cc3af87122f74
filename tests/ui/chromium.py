"""A real browser for tests: the machine's own Chromium, driven over its DevTools protocol as a person's hands would."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import connect
from websockets.sync.connection import Connection

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0", "--lang=zh-CN")

STILL_WITHIN_SECONDS = 20.0
SEEN = """
const words = () => (document.body && document.body.innerText) || '';
const seen = element => { const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden'; };
const says = element => (element.innerText || element.value || element.getAttribute('aria-label') || '').trim();
const all = selector => [...document.querySelectorAll(selector)].filter(seen);
const named = (selector, text) => all(selector).find(e => says(e) === text) || all(selector).find(e => says(e).startsWith(text));
"""


def installed() -> str | None:
    """Where a Chromium is, if this machine has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, connection: Connection, shots: Path) -> None:
        self._connection, self._numbers, self._shots = connection, itertools.count(1), shots

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.command("Runtime.evaluate", expression=f"(() => {{{SEEN} return {script}; }})()", returnByValue=True)
        assert "exceptionDetails" not in answer, (script, answer["exceptionDetails"].get("exception", {}).get("description"))
        return answer["result"].get("value")

    def open(self, address: str) -> None:
        """Goes to an address."""
        self.command("Page.navigate", url=address)

    def wait(self, script: str, seconds: float = 60) -> Any:
        """Waits until an expression holds; what it says then."""
        ends = time.monotonic() + seconds
        while True:
            if found := self.ask(script):
                return found
            if time.monotonic() > ends:
                self.shot("waited-in-vain")
                raise AssertionError(f"waited in vain for {script}\n{self.text()[-3000:]}")
            time.sleep(0.3)

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.ask("words()"))

    def wait_for_text(self, *words: str, seconds: float = 60) -> None:
        """Waits until all these words can be read."""
        self.wait(f"{json.dumps(words)}.every(word => words().includes(word))", seconds)

    def click(self, text: str, selector: str = "button, a, [role=button], [role=menuitem], [role=option], [role=tab], label") -> None:
        """Presses what bears this text, as a mouse would."""
        self.click_on(f"named({json.dumps(selector)}, {json.dumps(text)})")

    def click_on(self, element: str) -> None:
        """Presses the element that an expression gives, once it stands still: pages move while they load."""
        spot, seen, ends = None, None, time.monotonic() + STILL_WITHIN_SECONDS
        while spot is None or (spot != seen and time.monotonic() < ends):
            self.wait(f"!!({element})")
            seen = spot
            self.ask(f"({element}).scrollIntoView({{block: 'center'}})")
            time.sleep(0.2)
            spot = self.ask(f"(box => [box.x + box.width / 2, box.y + box.height / 2])(({element}).getBoundingClientRect())")
        self._press(*spot)

    def choose_tab(self, name: str) -> None:
        """Opens a tab of the page; pressed again if the page moved under the mouse."""
        find = f"named('[role=tab]', {json.dumps(name)})"
        ends = time.monotonic() + STILL_WITHIN_SECONDS
        self.click_on(find)
        while not self.ask(f"!!{find} && {find}.getAttribute('aria-selected') === 'true'"):
            assert time.monotonic() < ends, f"tab {name} does not open"
            self.click_on(find)

    def _press(self, x: float, y: float) -> None:
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        time.sleep(0.2)

    def fill(self, label: str, text: str) -> None:
        """Writes into the field of a form that bears this label."""
        self.type_into(f"document.getElementById(named('label', {json.dumps(label)}).htmlFor)", text)

    def choose(self, label: str, *options: str) -> None:
        """Opens the list of choices that bears this label, and presses each of these."""
        self.click_on(f"document.getElementById(named('label', {json.dumps(label)}).htmlFor)")
        for option in options:
            self.click(option, "[role=option]")

    def type_into(self, element: str, text: str) -> None:
        """Writes into the field that an expression gives, in place of what stands there."""
        self.click_on(element)
        self.ask(f"({element}).select && ({element}).select()")
        self.command("Input.insertText", text=text)
        time.sleep(0.1)

    def press_escape(self) -> None:
        """Closes whatever list or menu is open."""
        self.command("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape", windowsVirtualKeyCode=27)

    def shot(self, name: str) -> Path:
        """A picture of the page."""
        target = self._shots / f"{name}.png"
        target.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))
        return target


@contextmanager
def browser(folder: Path, shots: Path, width: int = 1360, height: int = 900) -> Iterator[Page]:
    """A browser with one empty tab, and nothing of anybody's in it."""
    found = installed()
    assert found is not None
    profile = folder / "chromium"
    process = subprocess.Popen([found, *FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}", "about:blank"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(profile)
        with urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
            address = next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")
        with connect(address, max_size=None) as connection:
            yield Page(connection, shots)
    finally:
        process.terminate()
        process.wait(20)


def _port(profile: Path) -> int:
    mark, ends = profile / "DevToolsActivePort", time.monotonic() + 60
    while not (mark.exists() and mark.read_text().strip()):
        assert time.monotonic() < ends, "Chromium did not start"
        time.sleep(0.1)
    return int(mark.read_text().split()[0])
