"""The whole life of a migration, by the aws command and boto3: everything is made, tested, run, watched, stopped, deleted."""
import json
import sys
import time

from common import aws, client, expect, fault, mapping, seen

source_port, target_port = sys.argv[1:3]
dms = client()

identity = client("sts").get_caller_identity()
expect(identity["Account"] == "000000000000", f"identity {identity}")

group = aws("dms", "create-replication-subnet-group", "--replication-subnet-group-identifier", "Group-1",
            "--replication-subnet-group-description", "two subnets", "--subnet-ids", "subnet-a", "subnet-b",
            "--tags", "Key=team,Value=move")["ReplicationSubnetGroup"]
expect(group["ReplicationSubnetGroupIdentifier"] == "group-1", "lower case")
expect(group["SubnetGroupStatus"] == "Complete" and len(group["Subnets"]) == 2, f"group {group}")

instance = aws("dms", "create-replication-instance", "--replication-instance-identifier", "worker",
               "--replication-instance-class", "dms.t3.medium", "--replication-subnet-group-identifier", "group-1")["ReplicationInstance"]
expect(instance["ReplicationInstanceStatus"] == "creating", "creating")
aws("dms", "wait", "replication-instance-available", "--filters", "Name=replication-instance-id,Values=worker")
instance = dms.describe_replication_instances(Filters=[{"Name": "replication-instance-id", "Values": ["worker"]}])["ReplicationInstances"][0]
expect(instance["ReplicationInstanceStatus"] == "available", "available")
expect(instance["ReplicationInstancePublicIpAddress"], "an address")
expect(instance["ReplicationSubnetGroup"]["ReplicationSubnetGroupIdentifier"] == "group-1", "its group")
instance_arn = instance["ReplicationInstanceArn"]
fault("ResourceAlreadyExistsFault", dms.create_replication_instance, ReplicationInstanceIdentifier="WORKER",
      ReplicationInstanceClass="dms.t3.medium")
fault("InvalidResourceStateFault", dms.delete_replication_subnet_group, ReplicationSubnetGroupIdentifier="group-1")

arns = {}
for side, port in (("source", source_port), ("target", target_port)):
    endpoint = aws("dms", "create-endpoint", "--endpoint-identifier", f"{side}-1", "--endpoint-type", side, "--engine-name", "mysql",
                   "--server-name", "127.0.0.1", "--port", port, "--username", "mover", "--password", "a secret & more",
                   "--ssl-mode", "require", "--extra-connection-attributes", "eventsPollInterval=1;initstmt=SET FOREIGN_KEY_CHECKS=0")["Endpoint"]
    expect(endpoint["EndpointType"] == side.upper() and endpoint["Status"] == "active", f"endpoint {endpoint}")
    expect("a secret" not in json.dumps(endpoint), "the password is never shown")
    arns[side] = endpoint["EndpointArn"]
    dms.test_connection(ReplicationInstanceArn=instance_arn, EndpointArn=endpoint["EndpointArn"])
    aws("dms", "wait", "test-connection-succeeds", "--filters", f"Name=endpoint-arn,Values={endpoint['EndpointArn']}")



def refreshed(endpoint_arn):
    fault("ResourceNotFoundFault", dms.describe_refresh_schemas_status, EndpointArn=endpoint_arn)
    begun = dms.refresh_schemas(EndpointArn=endpoint_arn, ReplicationInstanceArn=instance_arn)["RefreshSchemasStatus"]
    expect(begun["Status"] == "refreshing" and begun["EndpointArn"] == endpoint_arn, f"schemas {begun}")
    for _ in range(300):
        status = dms.describe_refresh_schemas_status(EndpointArn=endpoint_arn)["RefreshSchemasStatus"]
        if status["Status"] != "refreshing":
            return status
        time.sleep(0.1)
    return status


status = refreshed(arns["source"])
expect(status["Status"] == "successful" and status["LastRefreshDate"], f"schemas {status}")
expect(dms.describe_schemas(EndpointArn=arns["source"])["Schemas"] == ["app"], "the source's schemas")
expect(dms.describe_schemas(EndpointArn=arns["target"])["Schemas"] == [], "never refreshed")

wrong = dms.create_endpoint(EndpointIdentifier="wrong", EndpointType="source", EngineName="mysql", SslMode="require",
                            MySQLSettings={"ServerName": "127.0.0.1", "Port": int(source_port), "Username": "mover", "Password": "no"})["Endpoint"]
dms.test_connection(ReplicationInstanceArn=instance_arn, EndpointArn=wrong["EndpointArn"])
connection = {}
for _ in range(100):
    connection = dms.describe_connections(Filters=[{"Name": "endpoint-arn", "Values": [wrong["EndpointArn"]]}])["Connections"][0]
    if connection["Status"] != "testing":
        break
    time.sleep(0.1)
expect(connection["Status"] == "failed" and "Access denied" in connection["LastFailureMessage"], f"connection {connection}")
status = refreshed(wrong["EndpointArn"])
expect(status["Status"] == "failed" and "Access denied" in status["LastFailureMessage"], f"schemas {status}")
dms.delete_endpoint(EndpointArn=wrong["EndpointArn"])
aws("dms", "wait", "endpoint-deleted", "--filters", f"Name=endpoint-arn,Values={wrong['EndpointArn']}")


def create(name, kind, **more):
    task = dms.create_replication_task(
        ReplicationTaskIdentifier=name, SourceEndpointArn=arns["source"], TargetEndpointArn=arns["target"],
        ReplicationInstanceArn=instance_arn, MigrationType=kind, TableMappings=mapping("app"), **more)["ReplicationTask"]
    expect(task["Status"] == "creating", f"task {task}")
    aws("dms", "wait", "replication-task-ready", "--filters", f"Name=replication-task-arn,Values={task['ReplicationTaskArn']}")
    return task["ReplicationTaskArn"]


def task(arn):
    return dms.describe_replication_tasks(Filters=[{"Name": "replication-task-arn", "Values": [arn]}])["ReplicationTasks"][0]


def statistics(arn):
    pages = dms.get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=arn, PaginationConfig={"PageSize": 1})
    return {table["TableName"]: table for page in pages for table in page["TableStatistics"]}


def until(what, condition):
    end = time.time() + 90
    while time.time() < end:
        if condition():
            return
        time.sleep(0.2)
    expect(False, f"not in time: {what}: {task(arn)} {statistics(arn)}")


fault("InvalidParameterValueException", dms.create_replication_task, ReplicationTaskIdentifier="bad",
      SourceEndpointArn=arns["source"], TargetEndpointArn=arns["target"], ReplicationInstanceArn=instance_arn,
      MigrationType="full-load", TableMappings="{")
fault("InvalidParameterValueException", dms.create_replication_task, ReplicationTaskIdentifier="bad",
      SourceEndpointArn=arns["source"], TargetEndpointArn=arns["target"], ReplicationInstanceArn=instance_arn,
      MigrationType="cdc", TableMappings=mapping("app"))

arn = create("follow", "full-load-and-cdc",
             ReplicationTaskSettings=json.dumps({"ValidationSettings": {"EnableValidation": True}}))


def assessed(task_arn, name, **more):
    run = dms.start_replication_task_assessment_run(
        ReplicationTaskArn=task_arn, ServiceAccessRoleArn="arn:aws:iam::000000000000:role/r", ResultLocationBucket="none",
        AssessmentRunName=name, **more)["ReplicationTaskAssessmentRun"]
    expect(run["Status"] == "starting" and run["IsLatestTaskAssessmentRun"], f"run {run}")
    for _ in range(600):
        run = dms.describe_replication_task_assessment_runs(Filters=[
            {"Name": "replication-task-assessment-run-arn", "Values": [run["ReplicationTaskAssessmentRunArn"]]}])["ReplicationTaskAssessmentRuns"][0]
        if run["Status"] not in ("starting", "running"):
            break
        time.sleep(0.1)
    singles, marker = {}, {}
    while True:
        page = dms.describe_replication_task_individual_assessments(MaxRecords=3, Filters=[
            {"Name": "replication-task-assessment-run-arn", "Values": [run["ReplicationTaskAssessmentRunArn"]]}], **marker)
        for single in page["ReplicationTaskIndividualAssessments"]:
            singles[single["IndividualAssessmentName"]] = single["Status"]
        if "Marker" not in page:
            return run, singles
        marker = {"Marker": page["Marker"]}


names = dms.describe_applicable_individual_assessments(ReplicationTaskArn=arn)["IndividualAssessmentNames"]
run, singles = assessed(arn, "all")
expect(run["Status"] in ("passed", "warning") and set(singles) == set(names), f"{run} {singles}")
expect(run["AssessmentProgress"] == {"IndividualAssessmentCount": len(names), "IndividualAssessmentCompletedCount": len(names)}, f"{run}")
fault("ResourceAlreadyExistsFault", dms.start_replication_task_assessment_run, ReplicationTaskArn=arn, ServiceAccessRoleArn="r",
      ResultLocationBucket="b", AssessmentRunName="all")
fault("InvalidParameterCombinationException", dms.start_replication_task_assessment_run, ReplicationTaskArn=arn, ServiceAccessRoleArn="r",
      ResultLocationBucket="b", AssessmentRunName="both", IncludeOnly=names[:1], Exclude=names[1:2])
fault("InvalidResourceStateFault", dms.cancel_replication_task_assessment_run,
      ReplicationTaskAssessmentRunArn=run["ReplicationTaskAssessmentRunArn"])
empty = dms.create_replication_task(
    ReplicationTaskIdentifier="empty", SourceEndpointArn=arns["source"], TargetEndpointArn=arns["target"],
    ReplicationInstanceArn=instance_arn, MigrationType="full-load", TableMappings=mapping("nowhere"))["ReplicationTask"]["ReplicationTaskArn"]
run, singles = assessed(empty, "mappings", IncludeOnly=["table-mappings", "privileges"])
expect(run["Status"] == "failed" and singles == {"table-mappings": "failed", "privileges": "passed"}, f"{run} {singles}")
expect(run["ResultStatistic"]["Failed"] == 1 and run["ResultStatistic"]["Passed"] == 1 and run["LastFailureMessage"], f"{run}")
deleted = dms.delete_replication_task_assessment_run(ReplicationTaskAssessmentRunArn=run["ReplicationTaskAssessmentRunArn"])
expect(deleted["ReplicationTaskAssessmentRun"]["Status"] == "deleting", f"{deleted}")
expect(len(dms.describe_replication_task_assessment_runs()["ReplicationTaskAssessmentRuns"]) == 1, "one is left")
aws("dms", "wait", "replication-task-ready", "--filters", f"Name=replication-task-arn,Values={empty}")
dms.delete_replication_task(ReplicationTaskArn=empty)

settings = json.loads(task(arn)["ReplicationTaskSettings"])
expect(settings["ValidationSettings"]["EnableValidation"] is True and settings["FullLoadSettings"]["CommitRate"] == 10000, "merged")
expect(json.loads(task(arn)["TableMappings"]) == json.loads(mapping("app")), "mappings as given")
started = dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")["ReplicationTask"]
expect(started["Status"] == "starting", "starting at once")
fault("InvalidResourceStateFault", dms.start_replication_task, ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")
fault("InvalidResourceStateFault", dms.delete_replication_task, ReplicationTaskArn=arn)
fault("InvalidResourceStateFault", dms.modify_replication_task, ReplicationTaskArn=arn, TableMappings=mapping("app"))
fault("InvalidResourceStateFault", dms.delete_endpoint, EndpointArn=arns["source"])
fault("InvalidResourceStateFault", dms.delete_replication_instance, ReplicationInstanceArn=instance_arn)
aws("dms", "wait", "replication-task-running", "--filters", f"Name=replication-task-arn,Values={arn}")
until("validated", lambda: statistics(arn) and all(
    table["TableState"] == "Table completed" and table["ValidationState"] == "Validated" for table in statistics(arn).values()))
tables = statistics(arn)
expect(set(tables) == {"orders", "people"} and tables["people"]["FullLoadRows"] == 500, f"tables {tables}")
stats = task(arn)["ReplicationTaskStats"]
expect(stats["FullLoadProgressPercent"] == 100 and stats["TablesLoaded"] == 2, f"stats {stats}")
only = dms.describe_table_statistics(ReplicationTaskArn=arn, Filters=[{"Name": "table-name", "Values": ["orders"]}])
expect(len(only["TableStatistics"]) == 1, "a filter")

stopped = dms.stop_replication_task(ReplicationTaskArn=arn)["ReplicationTask"]
expect(stopped["Status"] == "stopping", "stopping at once")
aws("dms", "wait", "replication-task-stopped", "--filters", f"Name=replication-task-arn,Values={arn}")
expect(task(arn)["StopReason"] == "Stop Reason NORMAL", f"{task(arn)}")
fault("InvalidParameterCombinationException", dms.start_replication_task, ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")
modified = dms.modify_replication_task(ReplicationTaskArn=arn, ReplicationTaskIdentifier="followed")["ReplicationTask"]
expect(modified["Status"] == "modifying" and task(arn)["ReplicationTaskIdentifier"] == "followed", "renamed")
dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="resume-processing")
aws("dms", "wait", "replication-task-running", "--filters", f"Name=replication-task-arn,Values={arn}")
dms.stop_replication_task(ReplicationTaskArn=arn)
aws("dms", "wait", "replication-task-stopped", "--filters", f"Name=replication-task-arn,Values={arn}")
dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="reload-target")
aws("dms", "wait", "replication-task-running", "--filters", f"Name=replication-task-arn,Values={arn}")
until("validated again", lambda: statistics(arn) and all(
    table["ValidationState"] == "Validated" and table["FullLoadRows"] > 0 for table in statistics(arn).values()))
dms.stop_replication_task(ReplicationTaskArn=arn)
aws("dms", "wait", "replication-task-stopped", "--filters", f"Name=replication-task-arn,Values={arn}")
expect(dms.delete_replication_task(ReplicationTaskArn=arn)["ReplicationTask"]["Status"] == "deleting", "deleting")
aws("dms", "wait", "replication-task-deleted", "--filters", f"Name=replication-task-arn,Values={arn}")

arn = create("once", "full-load",
             ReplicationTaskSettings=json.dumps({"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"}}))
dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")
until("loaded", lambda: task(arn)["Status"] not in ("starting", "running"))
expect(task(arn)["Status"] == "stopped" and task(arn)["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED", f"{task(arn)}")
expect(all(table["ValidationState"] == "Not enabled" for table in statistics(arn).values()), "not enabled")
events = dms.describe_events(SourceType="replication-task", SourceIdentifier="once")["Events"]
expect(any("started" in event["Message"] for event in events), f"events {events}")
dms.delete_replication_task(ReplicationTaskArn=arn)

for side in arns:
    aws("dms", "delete-endpoint", "--endpoint-arn", arns[side])
    aws("dms", "wait", "endpoint-deleted", "--filters", f"Name=endpoint-arn,Values={arns[side]}")
expect(aws("dms", "delete-replication-instance", "--replication-instance-arn", instance_arn)["ReplicationInstance"]["ReplicationInstanceStatus"]
       == "deleting", "deleting")
aws("dms", "wait", "replication-instance-deleted", "--filters", "Name=replication-instance-id,Values=worker")
aws("dms", "delete-replication-subnet-group", "--replication-subnet-group-identifier", "group-1")
print(json.dumps(seen))
