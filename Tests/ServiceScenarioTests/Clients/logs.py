"""CloudWatch Logs: the only task's log, as the aws command and boto3 read it."""
from common import aws, client, expect, fault

dms, logs = client(), client("logs")
task = dms.describe_replication_tasks()["ReplicationTasks"][0]
stream = "dms-task-" + task["ReplicationTaskArn"].split(":")[-1]
groups = logs.describe_log_groups(logGroupNamePrefix="dms-tasks-")["logGroups"]
expect([group["logGroupName"] for group in groups] == ["dms-tasks-worker"], f"{groups}")
expect(logs.describe_log_groups(logGroupNamePrefix="other")["logGroups"] == [], "another prefix")
streams = logs.describe_log_streams(logGroupName="dms-tasks-worker", orderBy="LastEventTime", descending=True)["logStreams"]
expect([entry["logStreamName"] for entry in streams] == [stream] and streams[0]["storedBytes"] > 0, f"{streams}")
events = aws("logs", "get-log-events", "--log-group-name", "dms-tasks-worker", "--log-stream-name", stream, "--start-from-head")["events"]
expect(events and all("]I:" in event["message"] or "]W:" in event["message"] or "]E:" in event["message"] for event in events), f"{events}")
expect(events[0]["timestamp"] >= task["ReplicationTaskCreationDate"].timestamp() * 1000 - 1000, f"{events[0]}")

# Page by page, forward to the end and back again: the same lines.
forward, token = [], None
while True:
    page = logs.get_log_events(logGroupName="dms-tasks-worker", logStreamName=stream, startFromHead=True, limit=2,
                               **({"nextToken": token} if token else {}))
    if page["nextForwardToken"] == token:
        break
    forward += [event["message"] for event in page["events"]]
    token = page["nextForwardToken"]
expect(forward[:len(events)] == [event["message"] for event in events], f"{forward} for {events}")
backward = logs.get_log_events(logGroupName="dms-tasks-worker", logStreamName=stream, nextToken="b" + token[1:], limit=2)["events"]
expect([event["message"] for event in backward] == forward[-2:], f"{backward}")
found = logs.filter_log_events(logGroupName="dms-tasks-worker", filterPattern="TASK_MANAGER -nothing")["events"]
expect(len(found) >= len(events) and found[0]["logStreamName"] == stream, f"{found}")
expect(logs.filter_log_events(logGroupName="dms-tasks-worker", filterPattern='"no such words"')["events"] == [], "no match")
fault("ResourceNotFoundException", logs.get_log_events, logGroupName="none", logStreamName=stream)
fault("ResourceNotFoundException", logs.get_log_events, logGroupName="dms-tasks-worker", logStreamName="none")
fault("InvalidParameterException", logs.filter_log_events, logGroupName="dms-tasks-worker", filterPattern="{ $.a = 1 }")
instance = task["ReplicationInstanceArn"]
sizes = dms.describe_replication_instance_task_logs(ReplicationInstanceArn=instance)["ReplicationInstanceTaskLogs"]
expect(sizes[0]["ReplicationInstanceTaskLogSize"] > 0, f"{sizes}")
