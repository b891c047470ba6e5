"""Starts a task that loads and follows, and ends while it loads."""
import json
import sys

from common import client, expect, mapping

dms = client()
instance = dms.create_replication_instance(ReplicationInstanceIdentifier="worker", ReplicationInstanceClass="dms.t3.medium")
instance = instance["ReplicationInstance"]["ReplicationInstanceArn"]
arns = [dms.create_endpoint(
    EndpointIdentifier=side, EndpointType=side, EngineName="mysql", ServerName="127.0.0.1", Port=int(port), Username="mover", SslMode="require",
    Password="a secret & more")["Endpoint"]["EndpointArn"] for side, port in zip(("source", "target"), sys.argv[1:3])]
task = dms.create_replication_task(
    ReplicationTaskIdentifier="killed", SourceEndpointArn=arns[0], TargetEndpointArn=arns[1], ReplicationInstanceArn=instance,
    MigrationType="full-load-and-cdc", TableMappings=mapping("app"), ReplicationTaskSettings=json.dumps({
        "ValidationSettings": {"EnableValidation": True}, "FullLoadSettings": {"CommitRate": 500, "MaxFullLoadSubTasks": 1}}))
dms.start_replication_task(ReplicationTaskArn=task["ReplicationTask"]["ReplicationTaskArn"], StartReplicationTaskType="start-replication")
for _ in range(3000):
    tables = dms.describe_table_statistics(ReplicationTaskArn=task["ReplicationTask"]["ReplicationTaskArn"])["TableStatistics"]
    if any(table["FullLoadRows"] > 0 for table in tables):
        break
expect(any(table["FullLoadRows"] > 0 for table in tables), "the load has begun")
