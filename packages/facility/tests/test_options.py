"""What is let in of what comes back from the options form."""

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility import options
from flavorframe_facility.settings import make

SETTINGS = make(
    folder="/srv/facility",
    backend="kubernetes",  # where what this machine has does not matter
    environments=[{"name": "plain"}, {"name": "root", "title": "ROOT & <more>"}],
)
SENT = {"environment": "root", "cores": "4", "memory": "8"}


def test_choices_are_let_in():
    assert options.check(SETTINGS, SENT) == SENT
    assert options.check(SETTINGS, {}) == {"environment": "plain", "cores": "1", "memory": "2"}
    assert options.check(SETTINGS, {"cores": 2})["cores"] == "2"  # as JSON has it


@pytest.mark.parametrize(
    ("forged", "message"),
    [
        ({"environment": "../../etc/passwd"}, "environment '../../etc/passwd' is not offered here"),
        ({"environment": "registry.example/evil:1"}, "choose plain or root"),
        ({"environment": ["plain"]}, "is not offered"),
        ({"environment": {"a": 1}}, "is not offered"),
        ({"cores": "3"}, "cores '3' is not offered here: choose 1, 2, 4 or 8"),
        ({"cores": "1e9"}, "is not offered"),
        ({"cores": True}, "is not offered"),
        ({"cores": " 1"}, "is not offered"),
        ({"cores": -1}, "is not offered"),
        ({"memory": "1024"}, "choose 2, 4, 8 or 16"),
        ({"memory": "x" * 10_000}, "^.{,200}$"),
        ({"cmd": "sh"}, "no option 'cmd'; it has environment, cores or memory"),
    ],
)
def test_nothing_else_is(forged, message):
    with pytest.raises(FacilityError, match=message):
        options.check(SETTINGS, {**SENT, **forged})


def test_the_form_has_the_choices_and_is_html():
    form = options.form(SETTINGS)
    assert form.count("<option") == 2 + 4 + 4
    assert "ROOT &amp; &lt;more&gt;" in form


def test_what_the_machine_does_not_have_is_refused():
    here = make(folder="/srv/facility", cores=(1, 4096), memory=(2, 10**6))
    assert options.form(here).count("disabled") == 2
    with pytest.raises(FacilityError, match="4096 cores are more than this machine has"):
        options.check(here, {"cores": "4096"})
