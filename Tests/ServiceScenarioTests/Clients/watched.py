"""CloudWatch: waits until CDCIncomingChanges of the only task reads the number given, 5 seconds at most; and what else is measured."""
import datetime
import sys
import time

from common import aws, client, expect, fault

wanted = float(sys.argv[1])
dms, watch = client(), client("cloudwatch")
task = dms.describe_replication_tasks()["ReplicationTasks"][0]["ReplicationTaskArn"].split(":")[-1]
dimensions = [{"Name": "ReplicationInstanceIdentifier", "Value": "worker"}, {"Name": "ReplicationTaskIdentifier", "Value": task}]


def query(name, period=1):
    return {"Id": "a" + name.lower(), "MetricStat": {"Stat": "Maximum", "Period": period, "Metric": {
        "Namespace": "AWS/DMS", "MetricName": name, "Dimensions": dimensions}}}


def latest(*names):
    """The newest values, by name; those of the last few seconds only."""
    now = datetime.datetime.now(datetime.timezone.utc)
    found = watch.get_metric_data(MetricDataQueries=[query(name) for name in names], StartTime=now - datetime.timedelta(seconds=5),
                                  EndTime=now + datetime.timedelta(seconds=2))["MetricDataResults"]
    return {name: (result["Values"] or [None])[0] for name, result in zip(names, found)}


begun = time.time()
while True:
    values = latest("CDCIncomingChanges", "CDCLatencyTarget")
    if values["CDCIncomingChanges"] == wanted:
        break
    expect(time.time() - begun < 5, f"{values} for {wanted}")
    time.sleep(0.2)
if wanted > 0:
    time.sleep(2)
    values = latest("CDCIncomingChanges", "CDCLatencyTarget")
    expect(values["CDCIncomingChanges"] == wanted and values["CDCLatencyTarget"] >= 1.5, f"while it waits: {values}")
else:
    expect(values["CDCLatencyTarget"] < 5, f"nothing waits: {values}")

names = {metric["MetricName"] for metric in aws("cloudwatch", "list-metrics", "--namespace", "AWS/DMS")["Metrics"]}
expect({"CDCIncomingChanges", "CDCLatencyTarget", "FullLoadThroughputRowsTarget"} <= names, f"{names}")
expect(watch.list_metrics(Dimensions=[{"Name": "ReplicationTaskIdentifier", "Value": "another"}])["Metrics"] == [], "another task")
now = datetime.datetime.now(datetime.timezone.utc)
points = aws("cloudwatch", "get-metric-statistics", "--namespace", "AWS/DMS", "--metric-name", "FullLoadThroughputRowsTarget",
             "--dimensions", *(f"Name={entry['Name']},Value={entry['Value']}" for entry in dimensions), "--statistics", "Maximum", "SampleCount",
             "--period", "60", "--start-time", (now - datetime.timedelta(minutes=5)).isoformat(), "--end-time", now.isoformat())["Datapoints"]
expect(points and all(point["Unit"] == "Count/Second" and point["SampleCount"] >= 1 for point in points), f"{points}")
expect(max(point["Maximum"] for point in points) > 0, f"rows were loaded: {points}")
pages = list(watch.get_paginator("get_metric_data").paginate(
    MetricDataQueries=[query("CDCIncomingChanges")], StartTime=now - datetime.timedelta(minutes=5), EndTime=now, ScanBy="TimestampAscending",
    PaginationConfig={"PageSize": 2}))
times = [moment for page in pages for moment in page["MetricDataResults"][0]["Timestamps"]]
expect(len(pages) > 1 and times == sorted(set(times)), f"{len(pages)} pages, {times}")
fault("InvalidParameterValue", watch.get_metric_statistics, Namespace="AWS/DMS", MetricName="CDCIncomingChanges", Period=7,
      StartTime=now - datetime.timedelta(minutes=5), EndTime=now, Statistics=["Sum"])
