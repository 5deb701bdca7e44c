"""Drives Debian's headless Chromium through chromedriver, by the W3C's WebDriver protocol."""

import json
import re
import subprocess
import tempfile
import time
import urllib.request

# Nothing of what the browser does by itself is wanted: no network, no profile, no first run.
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",  # of which a container has little
    "--window-size=1400,1000",
]
# Keys of the protocol.
TAB, RIGHT, BACKSPACE = "\ue004", "\ue014", "\ue003"


class Browser:
    """One session; a context manager, so that browser and driver end with the test."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="carveout-browser-",
                                                   ignore_cleanup_errors=True)
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.session = None
        for line in self.driver.stdout:
            started = re.search(r"started successfully on port (\d+)", line)
            if started:
                break
        else:
            raise RuntimeError("chromedriver did not start")
        self.url = f"http://127.0.0.1:{started[1]}/session"
        options = {"args": ARGUMENTS + [f"--user-data-dir={self.profile.name}"]}
        made = self.post("", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = made["sessionId"]
        self.url += f"/{self.session}"
        return self

    def __exit__(self, *_):
        if self.session:
            self.request("DELETE", "", None)
        self.driver.terminate()
        self.driver.wait(timeout=10)
        self.profile.cleanup()

    def request(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def post(self, path, body):
        return self.request("POST", path, body)

    def open(self, file):
        self.post("/url", {"url": f"file://{file}"})

    def run(self, script, *arguments):
        """What `return ...` of a script gives."""
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def element(self, selector):
        return self.post("/element", {"using": "css selector", "value": selector})

    def hover(self, selector):
        self.post("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "duration": 0, "x": 0, "y": 0,
             "origin": self.element(selector)}]}]})

    def click(self, selector):
        self.post(f"/element/{next(iter(self.element(selector).values()))}/click", {})

    def keys(self, text):
        """To whatever has the focus."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": presses}]})

    def colour_scheme(self, name):
        self.post("/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": name}]}})

    def console(self):
        """What the console said since it was asked last."""
        return [entry["message"] for entry in self.post("/se/log", {"type": "browser"})]
