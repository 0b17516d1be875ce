"""A server whose records go to a webhook: `streams.py DIRECTORY`. The receiver verifies with `standardwebhooks`, fails when it
is told to, and the server is killed meanwhile."""

import http.server
import json
import os
import random
import sys
import threading
import time

from standardwebhooks import Webhook, WebhookVerificationError
from town import Town, check, until

work = sys.argv[1]


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it took. `mode` is what it does next: `well`; `error` answers 500; `deaf` takes a delivery and answers 500 all
    the same; `hang` answers when it is released."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode, self.secret, self.released, self.lock = "well", None, threading.Event(), threading.Lock()
        self.taken, self.refused, self.false, self.bodies = [], 0, [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/in"

    def fail(self, mode):
        self.released.clear()
        self.mode = mode

    def recover(self):
        self.mode = "well"
        self.released.set()

    def ids(self):
        with self.lock:
            return [record["id"] for records in self.taken for record in records]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server, body = self.server, self.rfile.read(int(self.headers["Content-Length"]))
        if server.secret is None:
            # The record of the call that makes the stream is quicker than the answer to that call.
            return self.answer(503)
        try:
            event = Webhook(server.secret).verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            server.false.append(repr(error))
            return self.answer(400)
        mode, name = server.mode, self.headers["webhook-id"]
        with server.lock:
            # The same id is the same body, in every try and after every death.
            if server.bodies.setdefault(name, body) != body:
                server.false.append(f"{name} came with another body")
        if mode == "hang":
            server.released.wait(60)
        if mode in ("well", "deaf") and event["type"] == "records.delivered":
            with server.lock:
                server.taken.append(event["data"]["records"])
        if mode != "well":
            with server.lock:
                server.refused += 1
        return self.answer(204 if mode == "well" else 500)

    def answer(self, status):
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *_):
        pass


receiver = Receiver()
server = Town(f"{work}/data", "--record-settle-after", "1s", "--stream-allow", "127.0.0.0/8", "--stream-insecure",
              "--log-level", "info")


def command(*arguments, expected=0):
    environment = {"TEGATA_URL": f"http://127.0.0.1:{server.port}", "TEGATA_TOKEN": server.root, "TEGATA_ORG": "default"}
    return server.run("--json", "record", "stream", *arguments, expected=expected, place=False, **environment)


def shown():
    return json.loads(command("show", stream["id"]))


def delivered(what):
    """Waits until every answered check has arrived."""
    until(lambda: set(server.answered) <= set(receiver.ids()), what, 90)


def in_order():
    """The first time that each record arrives, it comes after all that were written before it."""
    first, seen = [], set()
    with receiver.lock:
        records = [record for records in receiver.taken for record in records]
    for record in records:
        if record["id"] not in seen:
            seen.add(record["id"])
            first.append(record["sequence"])
    check(first == sorted(first), f"{len(first)} records arrived in order, {len(records) - len(first)} of them again")


try:
    print("=== a receiver that is well", flush=True)
    stream = json.loads(command("create", "--name", "siem", "--kind", "webhook", "--to", receiver.url))
    receiver.secret = stream["secret"]
    check(stream["secret"].startswith("whsec_"), "a secret was made")
    check(json.loads(command("test", stream["id"])) == {"delivered": True, "status": 204, "failure": None}, "a test arrives")
    for _ in range(3):
        server.batch()
    delivered("3,000 records arrive")
    in_order()
    check(len(receiver.ids()) == len(set(receiver.ids())), "each of them once")

    for mode in ("error", "hang", "deaf"):
        print(f"=== a receiver that fails ({mode}), and a server that is killed meanwhile", flush=True)
        refused = receiver.refused
        receiver.fail(mode)
        with server.load():
            time.sleep(1)
        server.batch()
        if mode != "hang":
            until(lambda: receiver.refused > refused, "it has refused something", 60)
            until(lambda: shown()["state"] == "failing", "it is told")
        server.kill()
        server.start()
        server.batch()
        check(server.ready()[0] == 200, "the server is ready, whatever the receiver does")
        time.sleep(random.uniform(0, 0.5))
        receiver.recover()
        delivered(f"all {len(server.answered)} records arrive after that")
        in_order()

    print("=== killed again and again while it delivers", flush=True)
    for _ in range(4):
        with server.load(2):
            time.sleep(random.uniform(0.3, 1.5))
        server.kill()
        server.start()
    delivered(f"all {len(server.answered)} records arrive")
    in_order()
    server.has_all()
    check(not receiver.false, f"every delivery was signed, and none had the id of another: {receiver.false[:3]}")

    print("=== a new secret", flush=True)
    former = receiver.secret
    rotated = json.loads(command("rotate", stream["id"], "--overlap", "1h"))
    check(rotated["secret"] != former, "it is another one")
    server.batch(10)
    delivered("with the former secret, deliveries still verify")
    receiver.secret = rotated["secret"]
    server.batch(10)
    delivered("and with the new one")
    server.stop()
    server.run("keys", "rotate")
    server.start()
    server.batch(10)
    delivered("after `tegata keys rotate` as well")
    check(not receiver.false, "every delivery was signed")
    # Each look leaves a record, too: it is given the time to arrive, and to be stored.
    time.sleep(3)
    looked = shown()
    check(looked["lag"] == {"records": 0, "seconds": 0} and looked["state"] == "active", f"nothing is left: {looked['lag']}")
    check(looked["position"]["record"] in receiver.ids(), "the last record is told")
    server.stop()
    everything = b"".join(open(f"{server.data}/{name}", "rb").read() for name in os.listdir(server.data)
                          if name.startswith("tegata.db"))
    for secret in (former, rotated["secret"]):
        check(secret.removeprefix("whsec_").encode() not in everything, "no secret is in the database")
    check("whsec_" not in server.log(), "nor in the log")
    print("all is well", flush=True)
finally:
    server.kill()
