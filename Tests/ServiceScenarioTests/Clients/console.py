"""The console's doors by plain HTTP: who gets in, what is refused, and that an action is the API's own."""
import html
import http.client
import os
import re
import urllib.parse

from common import client, expect, mapping

address = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
link = os.environ["GODWIT_CONSOLE_LINK"]


class Browser:
    """Keeps cookies, follows nothing."""

    def __init__(self):
        self.cookies = {}

    def ask(self, method, path, form=None, headers=None):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            expect("HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie, cookie)
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        connection.close()
        return answer

    def sign_in(self, **fields):
        page = self.ask("GET", "/sign-in")
        return self.ask("POST", "/sign-in", {"form": field(page.text, "form"), **fields})


def field(text, name):
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    expect(found, f"a field {name} in {text}")
    return html.unescape(found[1])


token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
dms = client()
instance = dms.create_replication_instance(ReplicationInstanceIdentifier="worker", ReplicationInstanceClass="dms.t3.medium")
arns = [dms.create_endpoint(
    EndpointIdentifier=side, EndpointType=side, EngineName="mysql", ServerName="127.0.0.1", Port=1, Username="u", Password="p")["Endpoint"]["EndpointArn"]
    for side in ("source", "target")]
task = dms.create_replication_task(
    ReplicationTaskIdentifier="seen", SourceEndpointArn=arns[0], TargetEndpointArn=arns[1],
    ReplicationInstanceArn=instance["ReplicationInstance"]["ReplicationInstanceArn"], MigrationType="full-load-and-cdc",
    TableMappings=mapping("app"))["ReplicationTask"]["ReplicationTaskArn"]
place = "/tasks/" + task.split(":")[-1]


def status():
    return dms.describe_replication_tasks()["ReplicationTasks"][0]["Status"]


pages = ["/", place] + [place + rest for rest in (
    "/statistics", "/monitoring", "/monitoring/CDCIncomingChanges", "/logs", "/logs/download", "/table?schema=a&table=b", "/confirm?action=stop")]

# Nobody's: every page leads to the sign-in, nothing is done.
stranger = Browser()
for page in pages:
    answer = stranger.ask("GET", page)
    expect(answer.status == 303 and answer.headers["Location"] == "/sign-in", f"{page}: {answer.status}")
answer = stranger.ask("POST", place + "/act", {"action": "start"})
expect(answer.status == 303 and status() == "ready", f"{answer.status} {status()}")
stranger.cookies["godwit"] = token
expect(stranger.ask("GET", "/").status == 303, "the link's token is no session")

# By the link: looking at it uses nothing up, signing in does, and only from the form.
reader = Browser()
for _ in range(2):
    expect(reader.ask("GET", link[link.index("/sign-in"):]).status == 200, "the link's page")
expect(reader.ask("POST", "/sign-in", {"token": token, "form": "x"}).status == 403, "another page's form")
answer = reader.sign_in(token=token)
expect(answer.status == 303 and answer.headers["Location"] == "/" and reader.cookies.get("godwit"), f"{answer.status} {answer.text}")
expect(Browser().sign_in(token=token).status == 403, "a link that is used up")
expect(Browser().sign_in(token="x").status == 403, "a link that never was")

# By key.
key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
for wrong in ({"key": key, "secret": "wrong"}, {"key": "GDWTNOBODY", "secret": secret}, {"key": key, "secret": ""}):
    expect(Browser().sign_in(**wrong).status == 403, f"{wrong.keys()}")
user = Browser()
expect(user.sign_in(key=key, secret=secret).status == 303, "the key")

for page in pages[:-2]:
    answer = user.ask("GET", page)
    expect(answer.status == 200, f"{page}: {answer.status} {answer.text}")
    policy = answer.headers["Content-Security-Policy"]
    expect("default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy, policy)
    expect(answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff", f"{answer.headers}")
    if "html" in answer.headers["Content-Type"]:
        expect(not re.search(r"<script[^>]*>[^<]|style=|\son\w+=|(?:src|href|action)=\"(?!/|#)", answer.text), f"{page} has what the policy forbids: {answer.text}")
        for asset in re.findall(r'(?:src|href)="(/assets/[^"]*)"', answer.text):
            expect(user.ask("GET", asset).status == 200, asset)

# What comes from outside comes out as text.
evil = "<script>alert(1)</script>\"'"
for page in ("/statistics?filter=", "/logs?search=", "/logs?component=", "/confirm?action=reload-table&table=", "/monitoring/", "/table?schema="):
    answer = user.ask("GET", place + page + urllib.parse.quote(evil))
    expect("<script>alert" not in answer.text and (answer.status in (200, 404)), f"{page}: {answer.status}")
expect(field(user.ask("GET", place + "/statistics?filter=" + urllib.parse.quote(evil)).text, "filter") == evil, "the filter is shown")
for page in ("/tasks/none", place + "/monitoring/None", place + "/table?schema=a&table=b"):
    expect(user.ask("GET", page).status == 404, page)

# Forms: only with this session's token.
page = user.ask("GET", place).text
good = field(page, "csrf")
other = field(reader.ask("GET", place).text, "csrf")
for wrong in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": other}):
    for path in (place + "/act", "/sign-out"):
        expect(user.ask("POST", path, {"action": "start", **wrong}).status == 403, f"{path} {wrong}")
expect(status() == "ready", "nothing was done")
expect(user.ask("POST", place + "/act", {"action": "format", "csrf": good}).status == 400, "no such action")
answer = user.ask("POST", place + "/act", {"action": "stop", "csrf": good})
expect(answer.status == 400 and "cannot be stopped" in answer.text, f"{answer.status} {answer.text}")
expect(user.ask("POST", place + "/act", {"csrf": good, "x": "x" * 70000}).status == 413, "a form that is too large")
answer = user.ask("POST", place + "/act", {"action": "start", "csrf": good})
expect(answer.status == 303 and answer.headers["Location"] == place, f"{answer.status} {answer.text}")
expect(status() in ("starting", "failed", "running"), status())

# What happens is told while the page is open.
connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
connection.request("GET", "/", headers={"Accept": "text/event-stream", "Cookie": f"godwit={user.cookies['godwit']}"})
answer = connection.getresponse()
expect(answer.headers["Content-Type"] == "text/event-stream" and answer.readline().startswith(b"data: <section"), "a first event")
# The session's end ends it.
expect(user.ask("POST", "/sign-out", {"csrf": good}).status == 303, "signed out")
rest = answer.read().decode()
expect("event: ended" in rest, rest)
expect(user.ask("GET", "/").status == 303, "signed out")
expect(reader.ask("GET", "/").status == 200, "the other one is not")
