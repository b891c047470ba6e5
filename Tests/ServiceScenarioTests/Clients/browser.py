"""The console in a real browser: a task is watched, stopped and resumed; narrow, dark, by keyboard and without JavaScript.

Lines on standard output tell the test what to do next: `WRITE` (change rows), `LOCK` (hold the target's table and change more), `UNLOCK`."""
import datetime
import json
import os
import re
import sys
import time
import urllib.parse

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from common import client, expect

address, link, folder = os.environ["AWS_ENDPOINT_URL"], os.environ["GODWIT_CONSOLE_LINK"], sys.argv[1]
waiting = int(sys.argv[2])

options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900", "--disable-background-networking"):
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def tell(word):
    print(word, flush=True)


def until(what, condition, seconds=30):
    """Waits for a value that is true; pages may be replaced under it."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Exception as error:  # an element that is being replaced
            value, last = None, error
        else:
            last = None
        if value:
            return value
        if time.monotonic() > end:
            shot("failed")
            expect(False, f"{what} at {driver.current_url} {last or ''}\n{text('main')}")
        time.sleep(0.05)


def run(script, *arguments):
    return driver.execute_script(script, *arguments)


def text(selector):
    return run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def shot(name):
    driver.save_screenshot(f"{folder}/{name}.png")


def go(path):
    driver.get(address + path)


def followed():
    until("the page is followed", lambda: run("return document.documentElement.dataset.live") == "yes")


def cell(table, column):
    return run(
        "return document.querySelector(`tr[data-table=\"${arguments[0]}\"]`).children[arguments[1]].innerText.replace(/\\D/g, '')", table, column)


def width(pixels, height=812):
    if pixels:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": pixels, "height": height, "deviceScaleFactor": 2, "mobile": True})
    else:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def scheme(value):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]})


CONTRAST = """
const lum = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255,255,255)'; };
const poor = [];
for (const e of document.querySelectorAll('main *, header *')) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
  const [a, b] = [lum(getComputedStyle(e).color), lum(back(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${e.outerHTML.slice(0, 80)} ${ratio.toFixed(2)}`);
}
return poor;
"""

KEY = "const key = (e) => [e.tagName, e.getAttribute('href') || e.getAttribute('name') || e.getAttribute('aria-label') || e.textContent].join(' ');"


def tabbed(page):
    """Every control is reached by Tab, and shows it."""
    wanted = set(run(KEY + "return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, [tabindex=\"0\"]')].map(key)"))
    run("document.activeElement.blur(); scrollTo(0, 0)")
    seen = set()
    for _ in range(len(wanted) * 2 + 20):
        webdriver.ActionChains(driver).send_keys(Keys.TAB).perform()
        found = run(KEY + "const e = document.activeElement; return e === document.body ? null : [key(e), getComputedStyle(e).outlineStyle]")
        if found:
            expect(found[1] != "none", f"{page}: the focus on {found[0]} is not seen")
            seen.add(found[0])
        if wanted <= seen:
            return
    expect(False, f"{page}: not reached by Tab: {wanted - seen}")


try:
    # In by the link; it leads to the list.
    driver.get(link)
    shot("sign-in")
    driver.find_element(By.ID, "by-link").click()
    until("the list of tasks", lambda: "killed" in text("#tasks"))
    shot("tasks")
    place = run("return document.querySelector('#tasks tbody a').getAttribute('href')")
    driver.find_element(By.LINK_TEXT, "killed").click()
    until("the overview", lambda: "running" in text("#facts") and "100 %" in text("#figures"))
    followed()
    shot("overview")

    # Statistics follow what is written, without a reload of the page.
    go(place + "/statistics")
    followed()
    run("window.same = true")
    tell("WRITE")
    until("three inserts", lambda: cell("app.people", 4) == "3")
    until("two updates", lambda: cell("app.people", 5) == "2")
    until("a delete", lambda: cell("app.orders", 6) == "1")
    expect(run("return window.same"), "the page was loaded again")
    until("validated", lambda: text("tr[data-table='app.people']").count("Validated") == 1)
    expect(run("return document.querySelectorAll('tr[data-table*=\"<script>\"]').length") == 1 and "<script>alert(1)</script>" in text("#statistics"), "a name is text")
    shot("statistics")
    driver.find_element(By.LINK_TEXT, "Full-load rows").click()
    until("sorted", lambda: run("return document.querySelector('th[aria-sort=descending]').innerText").startswith("Full-load rows"))
    box = driver.find_element(By.NAME, "filter")
    box.send_keys("people" + Keys.ENTER)
    until("filtered", lambda: run("return document.querySelectorAll('#statistics tbody tr').length") == 1)
    expect("sort=rows" in driver.current_url and "filter=people" in driver.current_url, driver.current_url)
    driver.find_element(By.LINK_TEXT, "people").click()
    until("the table", lambda: "No row is known to differ." in text("#rows"))
    shot("table")

    # The backlog: what is drawn, what is written beside it and what the API says are one number.
    go(place + "/monitoring/CDCIncomingChanges")
    followed()
    tell("LOCK")
    until("the backlog", lambda: run("return document.querySelector('.latest').dataset.value") == f"{waiting}.0")
    watch = client("cloudwatch")
    latest = run("""
        const out = document.querySelector('.latest'), svg = document.querySelector('.chart svg'), line = svg.querySelector('.line').getAttribute('d');
        const [x, y] = line.match(/[ML][\\d.]+ [\\d.]+/g).at(-1).slice(1).split(' ').map(Number);
        return { time: Number(out.dataset.time), value: Number(out.dataset.value), drawn: (120 - y) / 120 * Number(svg.dataset.top), top: Number(svg.dataset.top) };""")
    now = datetime.datetime.fromtimestamp(latest["time"], datetime.timezone.utc)
    points = watch.get_metric_statistics(
        Namespace="AWS/DMS", MetricName="CDCIncomingChanges", Statistics=["Maximum"], Period=1, StartTime=now - datetime.timedelta(seconds=20),
        EndTime=now + datetime.timedelta(seconds=1), Dimensions=[{"Name": "ReplicationInstanceIdentifier", "Value": "worker"},
                                                                 {"Name": "ReplicationTaskIdentifier", "Value": place.split("/")[-1]}])["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"])
    expect(newest["Timestamp"].timestamp() == latest["time"] and newest["Maximum"] == latest["value"] == waiting, f"{newest} {latest}")
    expect(abs(latest["drawn"] - waiting) <= latest["top"] / 1000, f"{latest}")
    chart = driver.find_element(By.CSS_SELECTOR, ".chart svg")
    webdriver.ActionChains(driver).move_to_element_with_offset(chart, chart.size["width"] // 2 - 2, 0).perform()
    until("the value under the pointer", lambda: f" {waiting}" in text(".hover"))
    shot("metric")
    go(place + "/monitoring")
    followed()
    expect(run("return [...document.querySelectorAll('.metric')].slice(0, 2).map((m) => m.id)") == ["m-CDCIncomingChanges", "m-CDCLatencyTarget"], "backlog and latency first")
    shot("monitoring")
    tell("UNLOCK")
    until("no backlog", lambda: text("#m-CDCIncomingChanges .latest") == "0")

    # Logs follow; the search is the server's.
    go(place + "/logs")
    followed()
    before = len(driver.find_elements(By.CSS_SELECTOR, "#lines tbody tr"))
    dms = client()
    arn = dms.describe_replication_tasks()["ReplicationTasks"][0]["ReplicationTaskArn"]
    dms.reload_tables(ReplicationTaskArn=arn, TablesToReload=[{"SchemaName": "app", "TableName": "orders"}])
    until("new lines", lambda: len(driver.find_elements(By.CSS_SELECTOR, "#lines tbody tr")) > before)
    shot("logs")
    go(place + "/logs?severity=E&search=nothing%20has%20this")
    until("no line", lambda: "No line passes the filter." in text("#lines"))

    # Stopped and resumed on the pages.
    go(place)
    followed()
    driver.find_element(By.LINK_TEXT, "Stop…").click()
    until("the question", lambda: "can go on later" in text("main"))
    shot("confirm")
    driver.find_element(By.CSS_SELECTOR, "main button.main").click()
    until("stopped", lambda: "stopped" in text("#facts") and driver.find_elements(By.XPATH, "//button[text()='Resume']"))
    shot("stopped")
    driver.find_element(By.XPATH, "//button[text()='Resume']").click()
    until("resumed", lambda: "running" in text("#facts"))

    # Every page: narrow, dark, by keyboard, no shift of what was drawn.
    table = place + "/table?" + urllib.parse.urlencode({"schema": "app", "table": "<script>alert(1)</script>"})
    pages = {"tasks": "/", "overview": place, "statistics": place + "/statistics", "table": table, "monitoring": place + "/monitoring",
             "metric": place + "/monitoring/CDCIncomingChanges?range=1d", "logs": place + "/logs", "confirm": place + "/confirm?action=stop", "missing": "/tasks/none"}
    for name, path in pages.items():
        go(path)
        tabbed(name)
        shift = run("return new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().reduce((s, e) => s + (e.hadRecentInput ? 0 : e.value), 0)))"
                    ".observe({ type: 'layout-shift', buffered: true }) || setTimeout(() => done(0), 300))")
        expect(shift < 0.1, f"{name} moves while it is loaded: {shift}")
        width(375)
        go(path)
        found = run("return [document.documentElement.scrollWidth, innerWidth]")
        expect(found[0] <= 375 and found[1] == 375, f"{name}: {found} wide")
        shot(f"narrow-{name}")
        width(0)
        for value in ("light", "dark"):
            scheme(value)
            go(path)
            poor = run(CONTRAST)
            expect(not poor, f"{name} {value}: {poor}")
            red = int(re.findall(r"\d+", run("return getComputedStyle(document.body).backgroundColor"))[0])
            expect((red < 60) == (value == "dark"), f"{name} {value}: {red}")
        shot(f"dark-{name}")
        scheme("light")

    # Reading without JavaScript.
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    for name, path in pages.items():
        go(path)
        expect(run("return document.documentElement.dataset.live") is None and text("main"), f"{name} without JavaScript")
    go(place + "/statistics?sort=table")
    expect("Table completed" in text("#statistics") and run("return document.querySelector('.line') === null"), "statistics without JavaScript")
    go(place + "/monitoring")
    expect(run("return document.querySelectorAll('.chart .line').length") >= 2 and text("#m-CDCIncomingChanges .latest") == "0", "charts without JavaScript")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    # Nobody else was asked, and the browser had nothing to say.
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            expect(url.startswith((address, "data:", "about:", "chrome")), f"asked {url}")
    said = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "/tasks/none" not in entry["message"]]
    expect(not said, f"{said}")

    # Out.
    go("/")
    driver.find_element(By.XPATH, "//button[text()='Sign out']").click()
    until("the sign-in", lambda: "Sign in by key" in text("main"))
    tabbed("sign-in")
    width(375)
    go("/sign-in")
    expect(run("return document.documentElement.scrollWidth") <= 375, "the sign-in is too wide")
    shot("narrow-sign-in")
finally:
    driver.quit()
