"""Without a database: every operation of the model answers, and what is wrong with a request has its fault."""
import datetime
import http.client
import json
import os
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session

from common import ENDPOINT, client, expect, fault, seen

dms = client()
certificate = open(os.environ["GODWIT_TEST_CERTIFICATE"]).read()

# Pages and filters: 45 subnet groups, by a paginator, none twice, none left out.
for number in range(45):
    dms.create_replication_subnet_group(
        ReplicationSubnetGroupIdentifier=f"group-{number}", ReplicationSubnetGroupDescription="<script>alert(1)</script>",
        SubnetIds=["subnet-1"])
pages = list(dms.get_paginator("describe_replication_subnet_groups").paginate(PaginationConfig={"PageSize": 20}))
names = [group["ReplicationSubnetGroupIdentifier"] for page in pages for group in page["ReplicationSubnetGroups"]]
expect([len(page["ReplicationSubnetGroups"]) for page in pages] == [20, 20, 5], "pages")
expect(names == [f"group-{number}" for number in range(45)], "in order")
expect(len(dms.describe_replication_subnet_groups(MaxRecords=0)["ReplicationSubnetGroups"]) == 45, "0 is the default")
fault("InvalidParameterValueException", dms.describe_replication_subnet_groups, MaxRecords=1000)
fault("InvalidParameterValueException", dms.describe_replication_subnet_groups, Marker="nonsense")
fault("InvalidParameterValueException", dms.describe_replication_subnet_groups, Filters=[{"Name": "colour", "Values": ["red"]}])
fault("ResourceNotFoundFault", dms.describe_replication_subnet_groups,
      Filters=[{"Name": "replication-subnet-group-id", "Values": ["none"]}])
fault("InvalidParameterValueException", dms.create_replication_instance,
      ReplicationInstanceIdentifier="<script>", ReplicationInstanceClass="dms.t3.micro")
expect(dms.describe_replication_instances()["ReplicationInstances"] == [], "nothing unfiltered is an empty list")

# Certificates, tags, the rest of the lists.
made = dms.import_certificate(CertificateIdentifier="ca", CertificatePem=certificate, Tags=[{"Key": "a", "Value": "b"}])["Certificate"]
expect(made["KeyLength"] >= 256 and made["ValidToDate"] > made["ValidFromDate"], f"{made}")
expect(made["SigningAlgorithm"].startswith("SHA"), f"{made}")
fault("InvalidCertificateFault", dms.import_certificate, CertificateIdentifier="bad", CertificatePem="nonsense")
dms.add_tags_to_resource(ResourceArn=made["CertificateArn"], Tags=[{"Key": "c", "Value": "d"}])
dms.remove_tags_from_resource(ResourceArn=made["CertificateArn"], TagKeys=["a"])
tags = dms.list_tags_for_resource(ResourceArn=made["CertificateArn"])["TagList"]
expect(tags == [{"Key": "c", "Value": "d"}], f"{tags}")
expect(dms.list_tags_for_resource(ResourceArn="arn:aws:dms:us-east-1::subgrp:group-3")["TagList"] == [], "without an account")
expect(len(dms.describe_certificates()["Certificates"]) == 1, "one")
dms.delete_certificate(CertificateArn=made["CertificateArn"])
for call in (dms.describe_account_attributes, dms.describe_orderable_replication_instances, dms.describe_endpoint_types,
             dms.describe_engine_versions, dms.describe_events, dms.describe_event_categories, dms.describe_endpoints,
             dms.describe_connections, dms.describe_replication_tasks, dms.describe_certificates,
             dms.describe_pending_maintenance_actions):
    call()

# Signatures and bodies.
address = urllib.parse.urlparse(ENDPOINT)


def send(body, target="AmazonDMSv20160101.DescribeEndpoints", key=None, secret=None, at=None, tamper=None, headers=None, sign=True):
    request = botocore.awsrequest.AWSRequest(method="POST", url=ENDPOINT + "/", data=body, headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target, **(headers or {})})
    if sign:
        credentials = botocore.credentials.Credentials(
            key or os.environ["AWS_ACCESS_KEY_ID"], secret or os.environ["AWS_SECRET_ACCESS_KEY"])
        signer = botocore.auth.SigV4Auth(credentials, "dms", "us-east-1")
        if at is None:
            signer.add_auth(request)
        else:
            import unittest.mock
            for name in ("get_current_datetime", ):
                with unittest.mock.patch(f"botocore.auth.{name}", lambda *_, **__: at):
                    signer.add_auth(request)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    prepared = request.prepare()
    data = tamper if tamper is not None else prepared.body
    connection.request("POST", "/", body=data, headers=dict(prepared.headers))
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else {}


def refused(status, code, found):
    expect(found[0] == status and found[1].get("__type") == code, f"{found} for {status} {code}")


expect(send(b"{}")[0] == 200, "a good one")
refused(403, "InvalidSignatureException", send(b"{}", secret="x" * 40))
refused(403, "InvalidSignatureException", send(b"{}", tamper=b"{ }"))
refused(403, "UnrecognizedClientException", send(b"{}", key="AKIAUNKNOWN"))
refused(403, "MissingAuthenticationTokenException", send(b"{}", sign=False))
for minutes in (-16, 16):
    late = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    refused(403, "InvalidSignatureException", send(b"{}", at=late.replace(tzinfo=None)))
refused(400, "SerializationException", send(b"{"))
refused(400, "SerializationException", send(b"[]"))
refused(400, "SerializationException", send(b"[" * 100000))
refused(400, "SerializationException", send(b'{"MaxRecords": "many"}'))
refused(400, "UnknownOperationException", send(b"{}", target="AmazonDMSv20160101.Frobnicate"))
refused(400, "UnknownOperationException", send(b"{}", target="AmazonDMSv20160101.<script>"))
refused(400, "UnknownOperationException", send(b"{}", target="Nothing.At.All"))
connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
connection.putrequest("POST", "/")
connection.putheader("Content-Length", str(100 << 20))
connection.endheaders()
answer = connection.getresponse()
expect(answer.status == 413, f"100 MB: {answer.status}")
connection.close()
# The same in pieces, without a length: the service stops listening long before all of it is sent.
connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
try:
    connection.request("POST", "/", body=(b"x" * (1 << 20) for _ in range(100)), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    expect(connection.getresponse().status == 413, "100 MB in pieces")
except (BrokenPipeError, ConnectionResetError):
    pass
connection.close()
expect(send(b"{}")[0] == 200, "and goes on")

# Every operation of the model: an answer of its shape, or a fault by name, never 404 and never 500.
model = botocore.session.get_session().get_service_model("dms")
for name in model.operation_names:
    status, body = send(b"{}", target=f"AmazonDMSv20160101.{name}")
    expect(status in (200, 400), f"{name}: {status} {body}")
    expect(status == 200 or (body.get("__type") and body["__type"] != "UnknownOperationException"), f"{name}: {body}")

for path, text in (("/healthz", "ok"), ("/metrics", "godwit_tasks")):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    expect(answer.status == 200 and text in answer.read().decode(), path)
print(json.dumps(seen))
