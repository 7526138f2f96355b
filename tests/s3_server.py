"""A local server of the S3 protocol (moto), in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address=sys.argv[1], port=0)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def s3_server(address: str = "127.0.0.1") -> Iterator[dict[str, str]]:
    """Yields the environment of its clients."""
    command = [sys.executable, "-c", SERVER, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = next(int(line) for line in process.stdout if line.strip().isdigit())  # it says other things too
        named = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
        yield {**named, "AWS_ENDPOINT_URL": f"http://{address}:{port}"}
        process.stdin.close()
