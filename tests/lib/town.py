"""A server of its own and people who ask it checks, for phases that break what it stands on.

Needs TEGATA_BIN. Everything lies in a directory that the caller removes."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

BIN = os.environ["TEGATA_BIN"]
EMAIL, PASSWORD = "root@example.com", "correct horse battery staple"
CATALOGUE = """
api: town
title: {en: Town}
permissions:
  - {name: "doors:read", level: read}
endpoints:
  - {method: GET, path: "/doors", any_of: [["doors:read"]]}
"""
passed = 0


def check(holds, what):
    global passed
    assert holds, what
    passed += 1
    print("ok:", what, flush=True)


def until(holds, what, seconds=60):
    """Waits for something and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"after {seconds} s: {what}"
        time.sleep(0.1)


def known(environment):
    """What is None is not set."""
    return {name: value for name, value in environment.items() if value is not None}


class Town:
    """A server, its first administrator, a verifier and a token; what was answered is remembered."""

    def __init__(self, data, *arguments, **environment):
        self.data, self.arguments = data, list(arguments)
        self.environment = {**os.environ, **environment, "TEGATA_TEST_PASSWORD": PASSWORD}
        self.process, self.answered, self.denied = None, [], 0
        self.lock = threading.Lock()
        os.makedirs(data, mode=0o700, exist_ok=True)
        self.run("init", "--non-interactive", "--email", EMAIL, "--name", "Root", "--password-env", "TEGATA_TEST_PASSWORD")
        self.start()
        session = self.call("POST", "/v1/sessions", {"email": EMAIL, "password": PASSWORD}, None)
        self.root = session["token"]
        self.call("POST", "/v1/apis", {"document": CATALOGUE, "format": "yaml"})
        self.call("PUT", "/v1/orgs/default/apis/town", {})
        grants = [{"organization": "default", "api": "town", "scopes": ["doors:read"]}]
        token = {"name": "ci", "expires_at": session["expires_at"], "reason": "a phase", "grants": grants}
        policy = {"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "a phase"}
        self.call("PUT", "/v1/orgs/default/policies/personal_token", policy)
        self.token = self.call("POST", "/v1/me/tokens", token)["token"]
        self.gateway = self.call("POST", "/v1/verifiers", {"name": "Gate", "apis": ["town"]})["token"]

    # The program.

    def run(self, *arguments, expected=0, place=True, **environment):
        """Runs a command to its end and returns what it wrote."""
        place = ["--data-dir", self.data] if place else []
        ran = subprocess.run([BIN, *arguments, *place], env=known({**self.environment, **environment}), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        assert ran.returncode == expected, f"tegata {' '.join(arguments)}: {ran.returncode}\n{ran.stdout}"
        return ran.stdout

    def start(self, within=60, ready=True):
        with socket.socket() as spare:
            spare.bind(("127.0.0.1", 0))
            self.port = spare.getsockname()[1]
        log = open(f"{self.data}.log", "ab")
        command = [BIN, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        self.process = subprocess.Popen(command, env=known(self.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        def answers():
            assert self.process.poll() is None, f"tegata serve ended: {self.log()[-3000:]}"
            return self.ready()[0] in ([200] if ready else [200, 503])
        until(answers, "the server answers", within)

    def log(self):
        with open(f"{self.data}.log", encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.process = None
        assert status == 0, f"the server ended with {status}: {self.log()[-3000:]}"

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    # Calls.

    def call(self, method, path, body=None, credential=""):
        credential = getattr(self, "root", None) if credential == "" else credential
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {credential}"} if credential else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except OSError:
            return 0, {}

    # Checks.

    def question(self):
        return {"token": self.token, "api": "town", "method": "GET", "path": "/doors", "user_agent": "a phase " * 20}

    def told(self, answer):
        """Remembers an answer, which is a yes with its record or no answer at all."""
        if answer["reason"] == "granted":
            assert answer["allowed"] and answer["record"], answer
            with self.lock:
                self.answered.append(answer["record"])
        else:
            assert answer == {"allowed": False, "reason": "record_unavailable", "on_behalf_of": None}, answer
            with self.lock:
                self.denied += 1

    def batch(self, count=1000):
        results = self.call("POST", "/v1/verify/batch", {"checks": [self.question()] * count}, self.gateway)["results"]
        assert len(results) == count
        for answer in results:
            self.told(answer)

    def load(self, threads=4):
        return Load(self, threads)

    def has_all(self, organization="default"):
        """Every answered check has its record, once, and no other has one."""
        path = f"{self.data}.export.jsonl"
        if os.path.exists(path):
            os.remove(path)
        self.run("record", "export", "--api", "town", "--format", "jsonl", "--output", path, place=False,
                 TEGATA_URL=f"http://127.0.0.1:{self.port}", TEGATA_TOKEN=self.root, TEGATA_ORG=organization)
        with open(path, encoding="utf-8") as lines:
            found = [json.loads(line)["id"] for line in lines]
        missing, more = set(self.answered) - set(found), set(found) - set(self.answered)
        check(len(found) == len(set(found)) == len(self.answered) and not missing and not more,
              f"{len(self.answered)} answered checks have one record each ({len(missing)} missing, {len(more)} more)")

    def prove(self):
        """Checks the log of the stopped server against what was signed."""
        said = self.run("record", "verify")
        check("Everything is as it was signed." in said, "`record verify`: " + said.strip().splitlines()[0])


class Load:
    """People who ask one check after the other, each on a connection."""

    def __init__(self, town, threads):
        self.town, self.end, self.failed, self.longest = town, threading.Event(), [], 0.0
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.failed, self.failed[:3]

    def ask(self):
        body = json.dumps(self.town.question())
        headers = {"Authorization": f"Bearer {self.town.gateway}", "Content-Type": "application/json"}
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.town.port, timeout=60)
            while not self.end.is_set():
                began = time.monotonic()
                connection.request("POST", "/v1/verify", body, headers)
                answer = connection.getresponse()
                text = answer.read()
                self.longest = max(self.longest, time.monotonic() - began)
                assert answer.status == 200, (answer.status, text)
                self.town.told(json.loads(text))
        except Exception as error:  # noqa: BLE001 - whoever waits for the thread tells
            self.failed.append(repr(error))
