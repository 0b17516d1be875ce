"""A server whose changes go to a webhook: `webhooks.py DIRECTORY`. The receiver verifies with `standardwebhooks`, fails when it
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
    """Keeps what it took. `mode` is what it does next: `well`; `error` answers 500; `deaf` takes an event and answers 500 all
    the same; `hang` answers when it is released."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode, self.secrets, self.released, self.lock = "well", [], threading.Event(), threading.Lock()
        self.taken, self.refused, self.false, self.bodies, self.verified = {}, 0, [], {}, set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def fail(self, mode):
        self.released.clear()
        self.mode = mode

    def recover(self):
        self.mode = "well"
        self.released.set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        server, body = self.server, self.rfile.read(int(self.headers["Content-Length"]))
        event = None
        for secret in server.secrets:
            try:
                event = Webhook(secret).verify(body, dict(self.headers))
                server.verified.add(secret)
            except WebhookVerificationError:
                pass
        if event is None:
            server.false.append(f"nobody signed {self.headers['webhook-id']}")
            return self.answer(400)
        mode, name = server.mode, self.headers["webhook-id"]
        with server.lock:
            # The same id is the same body, in every try and after every death.
            if server.bodies.setdefault(name, body) != body:
                server.false.append(f"{name} came with another body")
        if mode == "hang":
            server.released.wait(60)
        with server.lock:
            if mode in ("well", "deaf") and event["type"] == "team.create":
                server.taken.setdefault(event["data"]["after"]["key"], set()).add(name)
            if mode != "well":
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
server = Town(f"{work}/data", "--stream-allow", "127.0.0.0/8", "--stream-insecure", "--log-level", "info")
made = []


def command(*arguments):
    environment = {"TEGATA_URL": f"http://127.0.0.1:{server.port}", "TEGATA_TOKEN": server.root, "TEGATA_ORG": "default"}
    return server.run("--json", *arguments, place=False, **environment)


def change(count):
    """Makes teams, and remembers those that the server acknowledged."""
    for _ in range(count):
        key = f"team-{len(made)}-{random.randrange(1 << 30)}"
        command("team", "create", "--key", key, "--name", "Team")
        made.append(key)


def delivered(what, seconds=120):
    until(lambda: all(key in receiver.taken for key in made), what, seconds)


def shown():
    return json.loads(command("webhook", "show", webhook["id"]))


try:
    print("=== a receiver that is well", flush=True)
    webhook = json.loads(command("webhook", "create", "--name", "desk", "--to", f"http://127.0.0.1:{receiver.server_port}/in",
                                 "--event", "team.*"))
    receiver.secrets = [webhook["secret"]]
    tested = json.loads(command("webhook", "test", webhook["id"]))
    check(tested == {"delivered": True, "status": 204, "failure": None}, "a test arrives")
    change(20)
    delivered("20 changes arrive")
    check(all(len(names) == 1 for names in receiver.taken.values()), "each of them under one id")

    for mode in ("error", "hang", "deaf"):
        print(f"=== a receiver that fails ({mode}), and a server that is killed meanwhile", flush=True)
        refused = receiver.refused
        receiver.fail(mode)
        change(5)
        if mode != "hang":
            until(lambda: receiver.refused > refused, "it has refused something")
            until(lambda: shown()["state"] == "failing", "it is told")
        server.kill()
        server.start()
        change(5)
        time.sleep(random.uniform(0, 0.5))
        receiver.recover()
        delivered(f"all {len(made)} changes arrive after that")

    print("=== killed again and again while it tells", flush=True)
    for _ in range(5):
        change(random.randrange(1, 8))
        time.sleep(random.uniform(0, 0.4))
        server.kill()
        server.start()
    delivered(f"all {len(made)} changes arrive")
    check(all(len(names) == 1 for names in receiver.taken.values()), "each of them under one id, however often it came")

    print("=== a new secret, with an overlap", flush=True)
    receiver.verified.clear()
    rotated = json.loads(command("webhook", "rotate", webhook["id"], "--overlap", "1h"))
    receiver.secrets = [webhook["secret"], rotated["secret"]]
    change(5)
    delivered("they arrive")
    check(receiver.verified == {webhook["secret"], rotated["secret"]}, "signed with the former and with the new secret")
    receiver.secrets = [rotated["secret"]]
    server.kill()
    server.start()
    change(5)
    delivered("and verify with the new one alone, after a death as well")
    check(not receiver.false, f"every delivery was signed, and none had the id of another: {receiver.false[:3]}")
    looked = until(lambda: (view := shown())["deliveries"] == {"pending": 0, "failed": 0} and view, "nothing is left")
    check(looked["state"] == "active" and looked["delivered"] >= len(made), "and that is told")
    server.stop()
    everything = b"".join(open(f"{server.data}/{name}", "rb").read() for name in os.listdir(server.data)
                          if name.startswith("tegata.db"))
    for secret in (webhook["secret"], rotated["secret"]):
        check(secret.removeprefix("whsec_").encode() not in everything, "no secret is in the database")
    check("whsec_" not in server.log(), "nor in the log")
    print("all is well", flush=True)
finally:
    server.kill()
