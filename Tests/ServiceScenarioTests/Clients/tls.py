"""The listener's TLS: who trusts its authority is served, everybody else is not. Arguments: open or closed (health and metrics), another CA."""
import base64
import os
import socket
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions

from common import aws, client

door, other = sys.argv[1:3]
address = os.environ["AWS_ENDPOINT_URL"]
bundle = os.environ["AWS_CA_BUNDLE"]
parts = urllib.parse.urlsplit(address)

assert client().describe_endpoints()["Endpoints"] == []
assert aws("dms", "describe-endpoints")["Endpoints"] == []

stranger = boto3.client("dms", endpoint_url=address, region_name="us-east-1", verify=other)
try:
    stranger.describe_endpoints()
    raise AssertionError("served under an authority that did not sign")
except botocore.exceptions.SSLError:
    pass

# Plain HTTP is not answered.
with socket.create_connection((parts.hostname, parts.port), timeout=30) as plain:
    plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        answer = plain.recv(1000)
    except ConnectionResetError:
        answer = b""
    assert not answer.startswith(b"HTTP/"), answer


def handshake(version):
    context = ssl.create_default_context(cafile=bundle)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
            return secure.version()


assert handshake(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
assert handshake(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
try:
    raise AssertionError(f"spoke {handshake(ssl.TLSVersion.TLSv1_1)}")
except ssl.SSLError as error:
    # The service's answer, not this client's own scruples.
    assert "ALERT" in str(error).upper(), error


def status(path, key=None):
    request = urllib.request.Request(address + path)
    if key:
        request.add_header("Authorization", "Basic " + base64.b64encode(key.encode()).decode())
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=bundle)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


access, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
for path in ("/healthz", "/metrics"):
    assert status(path) == (200 if door == "open" else 401), path
    assert status(path, f"{access}:{secret}") == 200, path
    if door == "closed":
        for wrong in (f"{access}:wrong", f"nobody:{secret}", f"{access}:", ":", "x"):
            assert status(path, wrong) == 401, wrong

# The console's cookies go over nothing but TLS.
with urllib.request.urlopen(address + "/sign-in", context=ssl.create_default_context(cafile=bundle)) as answer:
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
