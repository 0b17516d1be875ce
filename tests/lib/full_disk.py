"""A server whose access log lies on a small file system: `full_disk.py DATA_DIR mapped|calls`."""

import errno
import os
import sys
import time
from town import Town, check, until

data, writing = sys.argv[1:]
FILLER = f"{data}/records/filler"


def fill():
    """Takes all the room that there is, down to the last byte."""
    with open(FILLER, "ab", buffering=0) as filler:
        for size in (1 << 20, 64 << 10, 4096, 1):
            try:
                while filler.write(b"x" * size) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC, error
        try:
            os.fsync(filler.fileno())
        except OSError as error:
            assert error.errno == errno.ENOSPC, error


def run_full(town):
    fill()
    end = time.monotonic() + 120
    denied = town.denied
    while town.denied == denied:
        assert time.monotonic() < end, "the disk is full, and nothing is denied"
        town.batch()


town = Town(data, "--record-writing", writing, "--record-settle-after", "1h")
try:
    with town.load():
        time.sleep(1)
    check(town.answered and not town.denied, f"{len(town.answered)} checks with room on the disk")
    with town.load() as load:
        run_full(town)
        time.sleep(5)
        status, told = town.ready()
        record = told["record"]
        check(status == 503 and told["status"] == "unavailable", "a full disk: /readyz says 503")
        check((record["condition"], record["error"]) == ("failing", "storage_full") and record["since"], f"and why: {record}")
        denied, answered = town.denied, len(town.answered)
        time.sleep(2)
    check(town.denied > denied, f"{town.denied} checks were denied with record_unavailable")
    lines = town.log().count("the access log takes no records")
    check(1 <= lines <= 3, f"the log says it {lines} times, not once for each")
    check(load.longest < 10, f"no check waited longer than {load.longest:.2f} s")

    os.remove(FILLER)
    status = until(lambda: town.ready()[0] == 200, "with room it is ready again, while nobody asks anything", 20)
    check(status and town.ready()[1]["record"]["condition"] == "writing", "with room it comes back by itself")
    check("access records are written again" in town.log(), "and says so")
    before = town.denied
    with town.load():
        time.sleep(1)
    check(town.denied == before, "checks are answered again")
    until(lambda: (lambda proof: proof["condition"] == "signing" and proof["unsigned"] == 0)(town.ready()[1]["proof"]),
          "signing goes on")
    town.has_all()

    # The process dies and starts while the disk is full.
    run_full(town)
    town.kill()
    town.start(ready=False)
    status, told = town.ready()
    check(status in (200, 503), f"it starts on a full disk: {told['record']['condition']}, proofs {told['proof']['condition']}")
    denied = town.denied
    end = time.monotonic() + 60
    while town.denied == denied and time.monotonic() < end:
        town.batch()
    check(town.denied > denied, "and denies")
    os.remove(FILLER)
    until(lambda: town.ready()[0] == 200, "with room it is ready", 20)
    town.batch()
    until(lambda: (lambda proof: proof["condition"] == "signing" and proof["unsigned"] == 0)(town.ready()[1]["proof"]),
          "signing goes on")
    town.has_all()
    town.stop()
    town.prove()
finally:
    town.kill()
