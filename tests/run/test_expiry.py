"""A proxy that expires while a run goes on: told by file, and completed once it is renewed."""

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._files.remote.proxies import read_proxy
from support import grid, servers

pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture
def two(authority, monkeypatch):
    """Return two servers that the client has not been let in by yet: it remembers who let it in."""
    monkeypatch.setenv("X509_CERT_DIR", str(authority.folder))
    started = [servers.XRootD(authority), servers.XRootD(authority)]
    yield started
    for server in started:
        server.close()


def analysis(through):
    t = ff.events().triplet
    selection = ff.Selection(t).cut("mass", through(t.mass) > 1.7).weight("w", 0.1 + t.mu1.pt / 7)
    mass = ff.hist(t.mass, bins=20, range=(1.6, 2.1))
    return ff.Analysis(selection, mass=mass, rows=ff.snapshot(t.mass, ff.events().event))


def test_told_by_file_and_completed_after_renewal(two, authority, sample, tmp_path, monkeypatch):
    proxy = authority.proxy(tmp_path / "proxy", life=grid.HOUR / 240)
    monkeypatch.setenv("X509_USER_PROXY", str(proxy))
    urls = [two[i > 0].put(sample("nano"), f"{i}.root") for i in range(3)]
    calls = []

    @ff.function
    def expiring(mass):
        calls.append(len(mass))
        if len(calls) == 2:  # it ends on the second; the connection to the first server outlives it
            servers.wait_for(lambda: read_proxy(proxy).left.total_seconds() < -2)
        return mass

    data = ff.dataset(urls)
    with pytest.warns(UserWarning, match="the credentials end in [0-9]+ seconds?, and the run"):
        partial = analysis(expiring).run(data, threads=1, partition_size=400, retries=0)
    assert 0 < partial.events < 3600
    assert {failure.kind for failure in partial.failures} == {"AccessError"}
    assert {failure.file for failure in partial.failures} <= set(urls)
    for failure in partial.failures:
        assert f"refuses: the proxy {proxy} expired" in failure.reason
    authority.proxy(proxy)
    whole = partial.resume(progress=False)
    undisturbed = analysis(expiring).run(data, partition_size=1000, progress=False)
    assert whole.is_complete
    assert whole.cutflow == undisturbed.cutflow
    assert whole.mass == undisturbed.mass
    for name in ("mass", "event", "weight"):
        np.testing.assert_array_equal(whole.rows[name], undisturbed.rows[name])
