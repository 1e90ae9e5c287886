"""What the doctor finds at a facility that is not started."""

import json
import os
from contextlib import contextmanager

import psutil

from facility_support.facility import free_block
from flavorframe_facility.machine import doctor
from flavorframe_facility.settings import make


def place(folder):
    """Return the settings of a facility whose folders are there."""
    settings = make(folder=folder / "state", port=free_block())
    for inner in (settings.private, settings.homes):
        inner.mkdir(mode=0o700, parents=True)
    settings.folder.chmod(0o711)
    return settings


def found(settings, subject):
    """Return level and text of what is found of a subject, in one line."""
    settings.save()
    findings = [one for one in doctor.examine(settings.folder) if one.subject.startswith(subject)]
    return "\n".join(f"{one.level}: {one.text}" for one in findings)


@contextmanager
def taken_for(settings, name):
    """Have this process taken for a program of the facility."""
    note = settings.private / f"{name}.process.json"
    created = psutil.Process().create_time()
    note.write_text(json.dumps({"process": os.getpid(), "created": created}))
    note.chmod(0o600)
    for secret in ("proxy-token", "service-token"):
        (settings.private / secret).write_text("secret")
    yield
    note.unlink()
