"""Processes that open files on servers, each with a client of its own."""

import contextlib
import json
import os
import subprocess
import sys
import threading

PATIENCE = 120
"""Seconds after which a session that does not answer is ended."""
ANSWER = """
import json, os, sys
from flavorframe._files.remote import access
from flavorframe.errors import FlavorframeError

held = {}

def opens(url, environment):
    for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "X509_USER_PROXY"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    held[url] = access.open_remote(url)
    return "let in"

def counts(url):
    import flavorframe as ff
    calls = []

    def waiting(mass):
        calls.append(1)
        if len(calls) == 2:
            print("reading", flush=True)
            sys.stdin.readline()
        return mass

    t = ff.events().triplet
    selection = ff.Selection(t).cut("any", ff.function(waiting)(t.mass) > 0)
    result = ff.Analysis(selection, mass=ff.hist(t.mass, bins=3, range=(1, 3))).run(
        ff.dataset(url), partition_size=100, threads=1, progress=False, cache=False)
    return f"{result.cutflow[0].events} events {result.failures}".replace("\\n", " ")

def saves(url, folder, engine, environment):
    import flavorframe as ff
    if engine == "columnar":
        opens(url, environment)
    os.environ.update(environment)
    t = ff.events().triplet
    selection = ff.Selection(t).cut("any", t.mass > 0)
    result = ff.Analysis(selection, mass=ff.hist(t.mass, bins=3, range=(1, 3))).run(
        ff.dataset(url), progress=False, cache=False, engine=engine)
    if folder:
        result.save(folder)
    return f"{result.cutflow[0].events} events {result.failures}".replace("\\n", " ")

def inherited(name):
    import subprocess
    code = f"import os; print(os.environ.get({name!r}))"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()

def served(url):
    return held[url].file.source._file.get_property("DataServer").rpartition(":")[2]

for line in sys.stdin:
    what, *arguments = json.loads(line)
    try:
        print(globals()[what](*arguments), flush=True)
    except (FlavorframeError, OSError) as error:
        print(type(error).__name__, error, flush=True)
"""


class Session:
    """A process that opens files, as a user with these variables would: the client is its own."""

    def __init__(self, behind=(), **environment):
        self._process = subprocess.Popen(
            [*behind, sys.executable, "-c", ANSWER], env={**os.environ, **environment}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def opens(self, url, **environment):
        """Return what is said of a file, with these variables for credentials alone."""
        return self._answer("opens", url, environment)

    def counts(self, url, meanwhile):
        """Return what a run counts, with its failures; ``meanwhile`` is called in its middle."""
        told = self._answer("counts", url)
        assert told == "reading", told
        meanwhile()
        return self._answer("go on")

    def saves(self, url, folder, engine="columnar", **environment):
        """Return what a run counts, whose result is saved."""
        return self._answer("saves", url, folder, engine, environment)

    def inherited(self, name):
        """Return a variable as the processes have it that the session starts."""
        return self._answer("inherited", name)

    def served(self, url):
        """Return the port of the server that gives a file that is open."""
        return int(self._answer("served", url))

    def _answer(self, *question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        impatience = threading.Timer(PATIENCE, self._process.kill)
        impatience.start()
        try:
            return self._process.stdout.readline().rstrip()
        finally:
            impatience.cancel()

    def close(self):
        with contextlib.suppress(BrokenPipeError):  # it was ended
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
