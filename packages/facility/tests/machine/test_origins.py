"""What the page of a user's server can do to whoever looks at it, in a real browser."""

import contextlib
import os
import re
import subprocess

import pytest

from facility_support.browser import log_in, person
from facility_support.users import User, server_of

pytestmark = pytest.mark.xdist_group("facility")

ATTACK = """
async ([hub, server, name]) => {
    const found = {};
    const attempt = async (what, how) => {
        try { found[what] = await how(); } catch (error) { found[what] = `refused: ${error}`; }
    };
    const ask = (url, options) => fetch(url, {credentials: "include", ...options});
    const opened = window.open(`${hub}hub/home`);
    await attempt("page", async () => {
        while (!opened.jhdata) await new Promise(waited => setTimeout(waited, 100));
        return opened.document.body.innerText;
    });
    await attempt("token", async () => {
        const xsrf = opened.jhdata.xsrf_token;
        const url = `${hub}hub/api/users/${name}/tokens?_xsrf=${xsrf}`;
        const headers = {"Content-Type": "application/json"};
        const answer = await (await ask(url, {method: "POST", body: "{}", headers})).json();
        return answer.token || `not given: ${JSON.stringify(answer)}`;
    });
    await attempt("files", async () => {
        const [, xsrf] = document.cookie.match(/_xsrf=([^;]+)/) || [];
        return (await (await ask(`${server}api/contents?_xsrf=${xsrf}`)).json()).type;
    });
    await attempt("terminal", () => new Promise((done, refused) => {
        const socket = new WebSocket(`${server.replace("http", "ws")}api/events/subscribe`);
        socket.onopen = () => done("open");
        socket.onerror = () => refused("closed");
    }));
    // Without reading the answer, as any page of the web can ask.
    for (const url of [`${hub}hub/api/users/${name}/tokens`, `${server}api/terminals`]) {
        await attempt(url, async () => {
            await ask(url, {method: "POST", body: "{}", mode: "no-cors"});
            return "asked";
        });
    }
    opened.close();
    return found;
}
"""
NUMBERS = """
async ([hub, name]) => {
    const url = `${hub}hub/api/users/${name}/tokens?_xsrf=${window.jhdata.xsrf_token}`;
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text).api_tokens.length;
}
"""
IS_TOKEN = re.compile("[0-9a-f]{32,}|jh[a-z]*_\\S+")
TOSS = "([name, where]) => { document.cookie = `${name}=evil; path=/; domain=${where}` }"
EVIL = """
import http.server, os, signal, subprocess, sys, time
PAGE = b"<!doctype html><title>evil</title><body>"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *arguments):
        pass

class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True

os.kill(int(sys.argv[1]), signal.SIGKILL)
while True:
    try:
        server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
        break
    except OSError:
        time.sleep(0.05)
print("serving", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def olivia(facility):
    return User(facility, "olivia")


@pytest.fixture(scope="module")
def mallory(facility):
    return User(facility, "mallory")


@pytest.fixture
def show_evil(facility, mallory):
    """Return a function that shows a page that mallory's own program serves as her server."""
    with contextlib.ExitStack() as programs:

        def show(page):
            for _ in range(5):  # the hub may just look after her server, and end what is hers
                programs.enter_context(evil(facility, mallory))
                page.goto(f"{mallory.url}anything")
                if page.title() == "evil":
                    return
                mallory.start()
            raise AssertionError(facility.log())

        yield show


@contextlib.contextmanager
def evil(facility, user):
    """Have a program of a user's serve its page in place of her server meanwhile."""
    server = server_of(facility, user.name)
    port = user.environment["JUPYTERHUB_SERVICE_URL"].split(":")[2].split("/")[0]
    account = {}
    if os.geteuid() == 0:
        account = {"user": user.environment["USER"], "group": user.environment["USER"]}
    program = subprocess.Popen(
        [facility.python, "-c", EVIL, str(server.pid), port], cwd="/", extra_groups=[],
        stdout=subprocess.PIPE, **account,
    )  # fmt: skip
    try:
        program.stdout.readline()  # nothing where the hub has ended it by then
        yield
    finally:
        program.kill()
        program.communicate()


@pytest.fixture
def victim(facility, olivia, browser):
    """Return a page of olivia, logged in at the hub and at her server."""
    with person(browser) as page:
        log_in(page, facility, "olivia")
        page.goto(f"{olivia.url}lab", wait_until="domcontentloaded")
        assert page.url.startswith(olivia.url)
        yield page


def attack(page, hub, server):
    return page.evaluate(ATTACK, [hub, server, "olivia"])


def show_as(page, url):
    """Show a page with the origin of an address, as if its server had answered so."""
    page.route(url, lambda route: route.fulfill(content_type="text/html", body="<body>"))
    page.goto(url)


def tokens(page, hub):
    """Return how many tokens olivia has, beside those of her sessions."""
    page.goto(f"{hub}hub/home")
    return page.evaluate(NUMBERS, [hub, "olivia"])


def test_a_colleagues_page_can_do_nothing_with_a_visitors_session(
    facility, olivia, victim, show_evil
):
    hub = facility.url
    before = tokens(victim, hub)
    terminals = olivia.get("user/olivia/api/terminals").json()
    show_evil(victim)
    found = attack(victim, hub, olivia.url)
    for what in ("token", "page", "files", "terminal"):
        assert found[what].startswith("refused"), found
    assert olivia.get("user/olivia/api/terminals").json() == terminals
    assert tokens(victim, hub) == before
    # The same program does it all, where its page has the origin of the hub or the server.
    found = attack(victim, hub, olivia.url)
    assert "olivia" in found["page"], found
    assert IS_TOKEN.fullmatch(found["token"]), found
    assert tokens(victim, hub) == before + 1
    victim.goto(f"{olivia.url}lab", wait_until="domcontentloaded")
    found = attack(victim, hub, olivia.url)
    assert (found["files"], found["terminal"]) == ("directory", "open")


def test_it_can_set_no_cookie_for_the_hub(facility, victim):
    show_as(victim, f"{facility.url_of('mallory')}lab")
    victim.evaluate(TOSS, ["jupyterhub-hub-login", "localhost"])
    victim.evaluate("() => { document.cookie = 'mine=evil; path=/' }")
    set_by_her = {
        one["name"]: one["domain"] for one in victim.context.cookies() if one["value"] == "evil"
    }
    assert set_by_her == {"mine": "mallory.localhost"}
    victim.goto(f"{facility.url}hub/home")
    assert "olivia" in victim.inner_text("body")


CONFIGURATION = "open({!r}, 'w').close()\n"


def test_a_servers_settings_are_not_its_users(facility):
    user = User(facility, "peggy")
    folder = f"{user.environment['HOME']}/.jupyter"
    marker = f"{folder}/was-read"
    content = CONFIGURATION.format(marker)
    user.python(f"""
import os
os.makedirs({folder!r}, exist_ok=True)
for name in ("jupyter_server_config.py", "jupyter_config.py", "jupyterhub_singleuser_config.py"):
    open(os.path.join({folder!r}, name), "w").write({content!r})
""")
    first = server_of(facility, "peggy")
    user.restart()
    assert server_of(facility, "peggy") != first
    look = f"import os; print(os.path.exists({marker!r}))"
    assert user.python(look) == "False\n"
    # The same file is read where somebody starts Jupyter without a hub.
    user.python("""
from jupyter_server.serverapp import ServerApp
ServerApp().load_config_file()
""")
    assert user.python(look) == "True\n"


# Beyond this machine: a domain, and TLS


def test_names_below_a_domain_are_kept_apart(public, browser):
    hub = public.url
    assert hub == f"https://facility.test:{public.settings.port}/"
    with person(browser) as page:
        log_in(page, public, "olivia")
        page.goto(f"{hub}hub/home")
        before = tokens(page, hub)
        show_as(page, f"{public.url_of('mallory')}lab")
        found = attack(page, hub, public.url_of("olivia"))
        assert all(found[what].startswith("refused") for what in ("token", "page", "files"))
        # She can set cookies for the whole domain, but not the one that logs in.
        for name in ("__Host-jupyterhub-hub-login", "jupyterhub-hub-login"):
            page.evaluate(
                TOSS,
                [name, "facility.test; secure"],
            )
        kept = {one["name"]: one["value"] for one in page.context.cookies(f"{hub}hub/")}
        assert kept["jupyterhub-hub-login"] == "evil"
        assert kept["__Host-jupyterhub-hub-login"] != "evil"
        assert tokens(page, hub) == before
        assert IS_TOKEN.fullmatch(attack(page, hub, public.url_of("olivia"))["token"])


def test_a_server_is_at_its_users_name_with_tls(public, browser):
    with person(browser) as page:
        log_in(page, public, "olivia")
        page.goto(f"{public.url}hub/spawn")
        page.click("#spawn_form input[type=submit], #spawn_form button[type=submit]")
        page.wait_for_url(f"{public.url_of('olivia')}lab**", wait_until="commit")
        names = {one["name"] for one in page.context.cookies(public.url_of("olivia"))}
        assert "__Host-jupyterhub-user-olivia" in names


@pytest.mark.parametrize("names", [["facility.test"], ["*.facility.test"], ["other.test"]])
def test_a_certificate_for_one_name_is_refused(public, names, tmp_path):
    certificate = tmp_path / "host.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-out",
         certificate, "-keyout", tmp_path / "host.key", "-subj", "/CN=facility.test",
         "-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in names)}"],
        check=True, capture_output=True,
    )  # fmt: skip
    from flavorframe.errors import FacilityError
    from flavorframe_facility.machine.certificate import require_names

    with pytest.raises(FacilityError, match=r"is not for .*Have a certificate made for both"):
        require_names(certificate, "facility.test")
    require_names(public.settings.certificate, "facility.test")
