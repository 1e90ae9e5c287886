"""What tests of jobs share: their folders, and cuts that do something once."""

import json
import os
from pathlib import Path

import numpy as np

import flavorframe as ff


def run_folder(site):
    (folder,) = Path(site.folder).iterdir()
    return folder


def submissions(site):
    content = json.loads((run_folder(site) / "submissions.json").read_text())
    return [[number for number, _ in submission["jobs"]] for submission in content]


def once(marker, act):
    """Return a function of arrays that acts in the first process that comes to it."""
    marker = str(marker)

    @ff.function
    def function(x):

        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return np.ones(len(x), bool)
        act()
        return np.ones(len(x), bool)

    return function
