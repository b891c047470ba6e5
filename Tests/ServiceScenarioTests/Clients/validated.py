"""Waits until the only task runs and every table of it is validated."""
import time

from common import client, expect

dms = client()
end = time.time() + 120
while time.time() < end:
    task = dms.describe_replication_tasks()["ReplicationTasks"][0]
    expect(task["Status"] in ("starting", "running"), f"{task}")
    tables = dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"])["TableStatistics"]
    if task["Status"] == "running" and tables and all(table["ValidationState"] == "Validated" for table in tables):
        break
    time.sleep(0.2)
else:
    expect(False, f"not in time: {task} {tables}")
