"""boto3 against the S3 of moto's server: conditional writes, a download by ranges, an upload in parts, a list."""

# /// script
# dependencies = ["boto3==1.44.8", "moto[s3]==5.2.5", "flask==3.1.2", "flask-cors==6.0.1"]
# ///

import hashlib
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.apps.support import finish, serving, three_ways

MIB = 1024 * 1024
# Bytes that are no text and repeat nowhere, so that a wrong range shows.
LARGE = b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(6 * MIB // 32))
OBJECT = LARGE[: 3 * MIB]
TRANSFER = TransferConfig(multipart_threshold=MIB, multipart_chunksize=MIB)
IN_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)

# What S3 makes anew each time.
CONFIG = """
ignore = ["query:uploadId"]
[record]
volatile = ["value:<(UploadId|LastModified|RequestId)>[^<]*"]
"""
EXPECTED = {
    "a first put that must not replace": 200,
    "a second put that must not replace": (412, "PreconditionFailed"),
    "what is there is the first": b"first",
    "a put that must replace another state": (412, "PreconditionFailed"),
    "a get of one range": (206, f"bytes 100-199/{len(OBJECT)}", OBJECT[100:200]),
    "a get of the last bytes": (206, f"bytes {len(OBJECT) - 50}-{len(OBJECT) - 1}/{len(OBJECT)}", OBJECT[-50:]),
    "a download by ranges": hashlib.sha256(OBJECT).hexdigest(),
    "the size by head": len(OBJECT),
    "an upload in parts": len(LARGE),
    "what was uploaded in parts": hashlib.sha256(LARGE).hexdigest(),
    "metadata": {"made-by": "ann"},
    "the list": ["in-parts.bin", "large.bin", "once.txt"],
    "the list by pages": ["in-parts.bin", "large.bin", "once.txt"],
    "after a delete": ["in-parts.bin", "large.bin"],
    "a get of what was deleted": (404, "NoSuchKey"),
}


def backend() -> AbstractContextManager[str]:
    return serving(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT")


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    """Status and code of the error that a call ends with; (0, "") when it succeeds."""
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return 0, ""


def part(answer: dict[str, Any]) -> tuple[int, str, bytes]:
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["ContentRange"], answer["Body"].read()


def visit(origin: str) -> Iterator[tuple[str, Any]]:
    s3 = boto3.client(
        "s3",
        endpoint_url=origin,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket="shelf")

    once = {"Bucket": "shelf", "Key": "once.txt"}
    put = s3.put_object(**once, Body=b"first", IfNoneMatch="*")
    yield "a first put that must not replace", put["ResponseMetadata"]["HTTPStatusCode"]
    yield "a second put that must not replace", refused(lambda: s3.put_object(**once, Body=b"second", IfNoneMatch="*"))
    yield "what is there is the first", s3.get_object(**once)["Body"].read()
    other = '"00000000000000000000000000000000"'
    yield "a put that must replace another state", refused(lambda: s3.put_object(**once, Body=b"third", IfMatch=other))

    large = {"Bucket": "shelf", "Key": "large.bin"}
    s3.put_object(**large, Body=OBJECT, Metadata={"made-by": "ann"})
    yield "a get of one range", part(s3.get_object(**large, Range="bytes=100-199"))
    yield "a get of the last bytes", part(s3.get_object(**large, Range="bytes=-50"))
    file = io.BytesIO()
    s3.download_fileobj(**large, Fileobj=file, Config=TRANSFER)
    yield "a download by ranges", hashlib.sha256(file.getvalue()).hexdigest()
    head = s3.head_object(**large)
    yield "the size by head", head["ContentLength"]
    yield "metadata", head["Metadata"]

    s3.upload_fileobj(io.BytesIO(LARGE), "shelf", "in-parts.bin", Config=IN_PARTS)
    yield "an upload in parts", s3.head_object(Bucket="shelf", Key="in-parts.bin")["ContentLength"]
    whole = s3.get_object(Bucket="shelf", Key="in-parts.bin")["Body"].read()
    yield "what was uploaded in parts", hashlib.sha256(whole).hexdigest()

    yield "the list", [found["Key"] for found in s3.list_objects_v2(Bucket="shelf")["Contents"]]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="shelf", PaginationConfig={"PageSize": 2})
    yield "the list by pages", [found["Key"] for page in pages for found in page["Contents"]]
    s3.delete_object(**once)
    yield "after a delete", [found["Key"] for found in s3.list_objects_v2(Bucket="shelf")["Contents"]]
    yield "a get of what was deleted", refused(lambda: s3.get_object(**once))


if __name__ == "__main__":
    three_ways(backend, visit, EXPECTED, CONFIG)
    finish()
