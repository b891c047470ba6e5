"""What the client scripts share: boto3 clients whose every answer is held against the service's model."""
import json
import os
import subprocess
import sys

import boto3
import botocore.config

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def check(shape, value, path, problems):
    """Does a JSON value have the shape that the model gives it?"""
    kind = shape.type_name
    if value is None:
        problems.append(f"{path}: null")
    elif kind == "structure":
        if not isinstance(value, dict):
            problems.append(f"{path}: {type(value).__name__} for a structure")
            return
        for name, member in value.items():
            if name not in shape.members:
                problems.append(f"{path}.{name}: not in the model")
            else:
                check(shape.members[name], member, f"{path}.{name}", problems)
    elif kind == "list":
        if not isinstance(value, list):
            problems.append(f"{path}: {type(value).__name__} for a list")
            return
        for index, member in enumerate(value):
            check(shape.member, member, f"{path}[{index}]", problems)
    elif kind == "string":
        if not isinstance(value, str):
            problems.append(f"{path}: {value!r} for a string")
        # The service itself answers SOURCE and TARGET, and tells of tasks' events, whatever its model says.
        elif getattr(shape, "enum", None) and value not in shape.enum and not (
                path.endswith(".EndpointType") and value.lower() in shape.enum) and not (
                path.endswith(".SourceType") and value == "replication-task"):
            problems.append(f"{path}: {value!r} is none of {shape.enum}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            problems.append(f"{path}: {value!r} for a boolean")
    elif kind in ("double", "float"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            problems.append(f"{path}: {value!r} for {kind}")
    elif kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(f"{path}: {value!r} for {kind}")
    elif kind == "timestamp":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            problems.append(f"{path}: {value!r} for a timestamp")


seen = {}


def client(service="dms", **kwargs):
    made = boto3.client(
        service, endpoint_url=ENDPOINT, region_name="us-east-1",
        config=botocore.config.Config(retries={"max_attempts": 0}), **kwargs)
    if service != "sts":
        def before_parse(operation_model, response_dict, **_):
            seen[operation_model.name] = seen.get(operation_model.name, 0) + 1
            if response_dict["status_code"] != 200:
                return
            problems = []
            if operation_model.output_shape is not None:
                check(operation_model.output_shape, json.loads(response_dict["body"]), operation_model.name, problems)
            if problems:
                raise SystemExit("not as the model has it:\n" + "\n".join(problems))
        made.meta.events.register(f"before-parse.{made.meta.service_model.service_id.hyphenize()}.*", before_parse)
    return made


def aws(*arguments):
    """The aws command itself; its output as JSON."""
    done = subprocess.run(
        [os.environ.get("GODWIT_AWS", "aws"), "--region", "us-east-1", "--output", "json", *arguments],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"aws {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def expect(condition, text):
    if not condition:
        print(f"FAILED: {text}", file=sys.stderr)
        raise SystemExit(1)


def fault(code, call, **kwargs):
    """The call must end with that fault."""
    import botocore.exceptions
    try:
        answer = call(**kwargs)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]["Code"]
        expect(found == code, f"{call.__name__}: {found} for {code}: {error}")
        return error
    expect(False, f"{call.__name__}: answered {answer} for {code}")


def mapping(schema, table="%"):
    return json.dumps({"rules": [{
        "rule-type": "selection", "rule-id": "1", "rule-name": "1",
        "object-locator": {"schema-name": schema, "table-name": table}, "rule-action": "include"}]})
