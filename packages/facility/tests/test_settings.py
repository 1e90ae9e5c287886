"""What an administrator chooses, and is told where that cannot be."""

import json

import pytest

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import load, make


def test_what_is_saved_is_loaded(tmp_path):
    settings = make(folder=tmp_path, port=9000, cores=(1, 2), environments=[{"name": "a"}])
    settings.save()
    assert load(tmp_path) == settings
    assert load(tmp_path / "elsewhere") is None


def test_beyond_loopback_only_with_tls(tmp_path):
    with pytest.raises(FacilityError, match=r"0\.0\.0\.0 can be reached .*certificate and its key"):
        make(folder=tmp_path, address="0.0.0.0")
    with pytest.raises(FacilityError, match="give both"):
        make(folder=tmp_path, certificate="host.pem")
    here = make(folder=tmp_path, address="::1", port=80)
    assert (here.bind_url, here.url) == ("http://[::1]:80/", "http://localhost/")
    tls = {"certificate": "host.pem", "key": "host.key"}
    with pytest.raises(FacilityError, match=r"give the facility's name in the DNS as domain"):
        make(folder=tmp_path, address="0.0.0.0", **tls)
    there = make(folder=tmp_path, address="0.0.0.0", port=443, domain="facility.example.org", **tls)
    assert there.url == "https://facility.example.org/"


@pytest.mark.parametrize("domain", ["127.0.0.1", "https://example.org", "*.example.org", "a_b", ""])
def test_a_domain_is_a_name_with_names_below_it(tmp_path, domain):
    with pytest.raises(FacilityError, match="domain"):
        make(folder=tmp_path, domain=domain)
    assert (
        make(folder=tmp_path, domain="host-1.example.org").url == "http://host-1.example.org:8000/"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "settings.json are damaged: .*line 1.*remove it to start from the defaults"),
        ("[]", "holds no JSON object"),
        ('{"ports": 8000}', "ports: there is no such setting. Did you mean 'port'"),
        ('{"cores": ["many"]}', "cores.0: .*integer"),
        ('{"accounts": "../root-"}', "accounts: "),
        ('{"login": {"kind": "oidc", "issuer": "https://iam"}}', "login.oidc.client_id: Field req"),
    ],
)
def test_damaged_settings_say_where(tmp_path, text, message):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(FacilityError, match=message):
        load(tmp_path)


def test_no_secret_is_in_the_settings(tmp_path):
    make(folder=tmp_path).save()
    text = (tmp_path / "settings.json").read_text().lower()
    assert not any(word in text for word in ("password", "token", "secret"))
    assert json.loads(text)["login"] == {"kind": "workshop"}
