"""Event subscriptions: webhooks get what they asked for, in order, also after they failed; one that is dead holds up nobody."""
import http.server
import json
import threading
import time

from common import client, expect, fault

dms = client()
taken, failing = [], [2]


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if failing[0] > 0:
            failing[0] -= 1
            self.send_response(500)
        else:
            taken.append((self.path, body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"


def until(what, condition):
    end = time.time() + 60
    while time.time() < end:
        if condition():
            return
        time.sleep(0.1)
    expect(False, f"not in time: {what}: {taken}")


def got(path):
    return [json.loads(body["Message"])["SourceId"] + ":" + json.loads(body["Message"])["Event Categories"][0] for where, body in taken if where == path]


def instance(name):
    dms.create_replication_instance(ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.medium")


instance("before")
fault("SNSInvalidTopicFault", dms.create_event_subscription, SubscriptionName="sns", SnsTopicArn="arn:aws:sns:us-east-1:000000000000:topic")
fault("SNSInvalidTopicFault", dms.create_event_subscription, SubscriptionName="plain", SnsTopicArn="http://hooks.example/x")
fault("InvalidParameterCombinationException", dms.create_event_subscription, SubscriptionName="ids", SnsTopicArn=address, SourceIds=["x"])
fault("InvalidParameterValueException", dms.create_event_subscription, SubscriptionName="cats", SnsTopicArn=address, EventCategories=["nonsense"])
dead = dms.create_event_subscription(SubscriptionName="dead", SnsTopicArn="http://127.0.0.1:9/")["EventSubscription"]
expect(dead["Status"] == "active" and dead["Enabled"], f"{dead}")
dms.create_event_subscription(SubscriptionName="All", SnsTopicArn=address + "/all", Tags=[{"Key": "a", "Value": "b"}])
dms.create_event_subscription(SubscriptionName="some", SnsTopicArn=address + "/some", SourceType="replication-instance", SourceIds=["second"],
                              EventCategories=["creation"])
dms.create_event_subscription(SubscriptionName="off", SnsTopicArn=address + "/off", Enabled=False)
fault("ResourceAlreadyExistsFault", dms.create_event_subscription, SubscriptionName="all", SnsTopicArn=address)
instance("first")
instance("second")
until("all of them", lambda: len(got("/all")) >= 2 and got("/some"))
expect(got("/all")[0] == "first:creation" and "second:creation" in got("/all"), f"in order, nothing from before: {taken}")
expect(got("/some") == ["second:creation"] and got("/off") == [], f"{taken}")

dms.modify_event_subscription(SubscriptionName="off", Enabled=True)
dms.modify_event_subscription(SubscriptionName="all", Enabled=False)
expect(not dms.describe_event_subscriptions(SubscriptionName="all")["EventSubscriptionsList"][0]["Enabled"], "switched off")
count = len(got("/all"))
instance("third")
until("what is on now", lambda: "third:creation" in got("/off"))
expect(not any(entry.startswith(("first", "second")) for entry in got("/off")), f"nothing from while it was off: {taken}")
expect(len(got("/all")) == count, "off is off")
expect(len(dms.describe_event_subscriptions()["EventSubscriptionsList"]) == 4, "four")
expect(dms.delete_event_subscription(SubscriptionName="dead")["EventSubscription"]["Status"] == "deleting", "deleting")
fault("ResourceNotFoundFault", dms.describe_event_subscriptions, SubscriptionName="dead")
