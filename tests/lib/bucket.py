"""A server whose columnar files lie in a bucket: `bucket.py DIRECTORY`. The bucket is moto's, behind a door that can be told
to fail."""

import logging
import os
import shutil
import sys
import threading
import time

import boto3
import town
from moto.server import DomainDispatcherApplication, create_backend_app
from town import Town, check, until
from werkzeug.serving import make_server

work = sys.argv[1]
logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Bucket:
    """An S3 server in this process. `mode` is what it does next: `well`; `error` answers 500; `hang` answers after a
    minute; `deaf` does what a writing call asks and then answers 500; `gone` closes its port."""

    def __init__(self):
        self.backend = DomainDispatcherApplication(create_backend_app)
        self.mode, self.calls, self.released, self.server = "well", 0, threading.Event(), None
        self.port = 0
        self.open()

    def open(self):
        self.server = make_server("127.0.0.1", self.port, self, threaded=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __call__(self, environ, start_response):
        self.calls += 1
        mode = self.mode
        if mode == "hang":
            self.released.wait(60)
        if mode == "deaf" and environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
            list(self.backend(environ, lambda *_: None))
        if mode != "well":
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("500 Internal Server Error", [("Content-Type", "application/xml")])
            return [b"<Error><Code>InternalError</Code><Message>told to fail</Message></Error>"]
        return self.backend(environ, start_response)

    def fail(self, mode):
        self.mode = mode
        self.released.clear()
        if mode == "gone":
            self.server.shutdown()
            self.server.server_close()

    def recover(self):
        gone, self.mode = self.mode == "gone", "well"
        self.released.set()
        if gone:
            self.open()

    def keys(self, prefix=""):
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
                              aws_access_key_id="id", aws_secret_access_key="secret")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="records", Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def make(self):
        boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", aws_access_key_id="id",
                     aws_secret_access_key="secret").create_bucket(Bucket="records")


bucket = Bucket()
bucket.make()
environment = {
    "AWS_ENDPOINT": f"http://127.0.0.1:{bucket.port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
    # For others; passed over.
    "AWS_PAGER": "less", "AWS_PROFILE": "default",
    "TEGATA_RECORD_BUCKET": "s3://records/tegata",
}
os.environ.pop("AWS_SESSION_TOKEN", None)
server = Town(f"{work}/data", "--record-settle-after", "1s", **environment)


def columns():
    return server.ready()[1]["columns"]


def settled(what="records are settled into the bucket", seconds=90):
    """Waits until everything of this moment has left the journal."""
    last = server.ready()[1]["records"]
    until(lambda: columns()["settled_through"] >= last, what, seconds)


def asked():
    """Questions to what lies in the bucket."""
    page = server.call("GET", "/v1/orgs/default/records?api=town&limit=5")
    check(len(page["items"]) == 5, "/records answers")
    top = server.call("GET", "/v1/orgs/default/records/top?by=reason&api=town")
    check(top["items"][0]["allowed"] == len(server.answered), "/records/top counts them all")
    server.has_all()


def proven():
    until(lambda: server.ready()[1]["proof"]["unsigned"] == 0, "everything is signed")
    environment = {"TEGATA_URL": f"http://127.0.0.1:{server.port}", "TEGATA_TOKEN": server.root, "TEGATA_ORG": "default"}
    server.run("record", "prove", server.answered[0], "--output", f"{work}/proof", place=False, **environment)
    key = server.run("record", "public-key").strip()
    said = server.run("record", "verify-proof", f"{work}/proof", "--public-key", key, place=False)
    check(server.answered[0] in said, "`record prove` and `verify-proof`: a record that lies in the bucket")
    return key


try:
    print("=== a bucket that is well", flush=True)
    for _ in range(5):
        server.batch()
        settled()
    keys = bucket.keys("tegata/")
    check("tegata/manifest.json" in keys and any(key.endswith(".parquet") for key in keys), f"{len(keys)} objects")
    check(not os.path.exists(f"{server.data}/records/columns"), "and no folder of columns")
    asked()
    key = proven()
    server.prove()
    check(True, "beside the server that works on it")
    server.stop()
    server.prove()
    said = server.run("record", "verify", expected=8, TEGATA_RECORD_BUCKET=None)
    check("--record-bucket" in said, "without the name of the bucket: " + said.strip().splitlines()[0])
    said = server.run("doctor", expected=0)
    check("access log holds" in said, "`doctor` finds the records in the bucket")
    server.environment["TEGATA_RECORD_BUCKET"] = None
    try:
        server.start()
        raise SystemExit("it must not start without its columns")
    except AssertionError as error:
        check("--record-bucket" in str(error), "nor does it start without the name of the bucket")
    server.environment["TEGATA_RECORD_BUCKET"] = environment["TEGATA_RECORD_BUCKET"]
    server.start()
    asked()

    for mode in ("error", "deaf", "hang", "gone"):
        print(f"=== a bucket that fails: {mode}", flush=True)
        before, calls = columns()["settled_through"], bucket.calls
        bucket.fail(mode)
        with server.load() as load:
            failing = until(lambda: (lambda told: told if told["condition"] == "failing" else None)(columns()),
                            "it is told", 120)
            check(failing["error"] and failing["since"], f"/readyz: {failing}")
            time.sleep(3)
        check(server.ready()[0] == 200 and not server.denied, f"checks go on, the longest took {load.longest:.2f} s")
        check(columns()["settled_through"] == before, "what was settled is still known")
        if mode == "error":
            check(bucket.calls - calls < 200, f"the bucket is not hammered: {bucket.calls - calls} calls")
        status = server.ready()[1]["proof"]
        print("   proofs meanwhile:", status, flush=True)
        bucket.recover()
        until(lambda: columns()["condition"] == "settling", "it comes back by itself", 120)
        settled()
        check(columns()["settled_through"] > before, "and settles what waited")
        asked()

    print("=== it starts while the bucket fails", flush=True)
    server.stop()
    bucket.fail("hang")
    began = time.monotonic()
    server.start()
    print(f"   after {time.monotonic() - began:.1f} s", flush=True)
    server.batch()
    check(not server.denied, "and answers checks")
    server.kill()
    server.start()
    bucket.recover()
    settled()
    asked()
    proven()

    print("=== backup and restore", flush=True)
    server.run("backup", f"{work}/backup")
    check(os.path.exists(f"{work}/backup/records/columns/manifest.json"), "the columns are in the backup")
    said = server.run("record", "verify", "--copy", f"{work}/backup", "--public-key", key, place=False)
    check("Everything is as it was signed." in said, "and `record verify` finds them there: " + said.splitlines()[0])
    server.stop()
    server.prove()
    restored = f"{work}/restored"
    os.makedirs(restored, mode=0o700)
    shutil.copy(f"{server.data}/keys", f"{restored}/keys")
    arguments = ["restore", f"{work}/backup", "--stops", server.data]
    old, server.data = server.data, restored
    said = server.run(*arguments, expected=1)
    check("name another prefix" in said, "a restore does not write over the bucket: " + said.strip().splitlines()[-1])
    server.environment["TEGATA_RECORD_BUCKET"] = "s3://records/restored"
    server.run(*arguments)
    check("restored/manifest.json" in bucket.keys("restored/"), "with another prefix, the columns go there")
    server.run("restore", "--open")
    server.start()
    session = server.call("POST", "/v1/sessions", {"email": town.EMAIL, "password": town.PASSWORD}, None)
    server.root = session["token"]
    server.batch()
    settled()
    asked()
    until(lambda: server.ready()[1]["proof"]["unsigned"] == 0, "everything is signed")
    server.stop()
    server.prove()
finally:
    server.kill()
print(f"\n{town.passed} passed, 0 failed")
