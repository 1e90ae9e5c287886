"""A run that will take longer than its credentials last tells so while there is time."""

import re
import time
import warnings

import flavorframe as ff
from flavorframe._run.core import updates
from flavorframe._run.delivery.credential_expiry import CredentialExpiry
from flavorframe._run.delivery.delivery import Delivery
from support import grid


def analysis(through=abs):
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", through(t.mass) > 1.7)
    return ff.Analysis(selection, mass=ff.hist(t.mass, bins=20, range=(1.6, 2.1)))


def told_of(delivery, *looks):
    """Return the warnings after some looks at seconds and the fraction done in them."""
    expiry = CredentialExpiry(delivery)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for seconds, fraction in looks:
            expiry.check(seconds, fraction)
    return [str(warning.message) for warning in told]


def test_compares_the_rest_of_the_run_with_the_rest_of_the_credentials(proxy, authority):
    authority.proxy(proxy, life=2 * grid.HOUR)
    delivery = Delivery.of(analysis().plan, ff.dataset("root://localhost//a.root"))
    assert told_of(delivery, (60, 0.0), (3600, 0.4), (3600, 1.0)) == []
    assert told_of(delivery, (3600, 0.2), (7200, 0.3)) == [
        "at its rate so far the run takes 4 hours more, and the credentials end in 1 hour: renew "
        "them while it goes on."
    ]
    authority.proxy(proxy, life=8 * grid.HOUR)
    assert told_of(delivery, (3600, 0.2)) == []


def test_says_nothing_of_local_files(sample, proxy):
    delivery = Delivery.of(analysis().plan, ff.dataset(sample("nano")))
    assert told_of(delivery, (1e9, 0.1)) == []


def test_told_while_the_run_goes_on(secured, authority, proxy, sample, monkeypatch):
    monkeypatch.setattr(updates, "UPDATE_SECONDS", 0.1)
    authority.proxy(proxy, life=grid.HOUR / 120)
    url = secured.put(sample("nano"))

    @ff.function
    def slow(mass):
        time.sleep(0.5)
        return mass

    def rates():
        return [str(one.message) for one in told if "at its rate" in str(one.message)]

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        analysis(slow).run(
            ff.dataset(url), threads=1, partition_size=4, retries=0, progress=False,
            should_stop=rates,
        )  # fmt: skip
    (rate,) = rates()
    assert re.search(r"takes \d minutes? more, and the credentials end in \d+ second", rate)
