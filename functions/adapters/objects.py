"""Objects in S3: the specs that are dropped, the answers to them, the data that specs name, the results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.core.globs import Listed
from jobspec import InputUnavailable, UnreadableFile

if TYPE_CHECKING:
    from botocore.config import Config
    from types_boto3_s3 import S3Client

_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound"})
_LASTING = frozenset({"403", "AccessDenied", "InvalidObjectState", "301", "PermanentRedirect", "400", "BadRequest"})


class Buckets:
    """`functions.core.inputs.Buckets` on S3: the buckets that specs may name."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def head(self, bucket: str, key: str) -> Listed | None:
        """The object of that key."""
        with _told(f"s3://{bucket}/{key}"):
            try:
                found = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
        return Listed(key, found["ContentLength"], found["ETag"].strip('"'))

    def listing(self, bucket: str, prefix: str, deep: bool) -> Iterator[Listed]:
        """What begins with the prefix; see `globs.Listing`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter="" if deep else "/"
        )
        with _told(f"s3://{bucket}/{prefix}"):
            try:
                for page in pages:
                    for entry in page.get("Contents", []):
                        yield Listed(entry["Key"], entry["Size"], entry["ETag"].strip('"'))
                    for level in page.get("CommonPrefixes", []):
                        yield Listed(level["Prefix"], level=True)
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise


def s3_config() -> "Config":
    """The client's: by default the SDK signs links in a way that newer buckets refuse, at a host of another region."""
    from botocore.config import Config  # a sixth of the import of every handler

    s3 = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    return Config(signature_version="s3v4", s3=s3)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Bucket:
    """One bucket of the stack's own."""

    client: "S3Client"
    name: str

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        try:
            self.client.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return False
            raise
        return True

    def read(self, key: str, version: str | None = None, limit: int | None = None) -> bytes | None:
        """The object (that version of it), or its first `limit` bytes; None where there is none."""
        versioned = {"VersionId": version} if version else {}
        try:
            body = self.client.get_object(Bucket=self.name, Key=key, **versioned)["Body"]  # type: ignore[arg-type]
        except ClientError as error:
            if _code(error) in _ABSENT | {"MethodNotAllowed"}:  # that version is a delete marker
                return None
            raise
        try:
            return body.read(limit)
        finally:
            body.close()

    def write(self, key: str, content: bytes) -> None:
        """Write it whole."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content, ContentType="application/json")

    def write_new(self, key: str, content: bytes) -> bool:
        """Write it if there is no object of that key; False if there is."""
        try:
            self.client.put_object(
                Bucket=self.name, Key=key, Body=content, ContentType="application/json", IfNoneMatch="*"
            )
        except ClientError as error:
            if _code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}:
                return False
            raise
        return True

    def remove(self, key: str) -> None:
        """See to it that there is no object of that key."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def link(self, key: str, seconds: int) -> str:
        """An address that anybody may read the object at, for so long."""
        return self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=seconds
        )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """What S3 and the way to it may answer, in our words: throttling and outages are no fault of the file."""
    try:
        yield
    except ClientError as error:
        reason = str(error)
        if _code(error) in _LASTING:
            raise UnreadableFile(uri, reason) from error
        raise InputUnavailable(uri, reason) from error
    except BotoCoreError as error:
        raise InputUnavailable(uri, str(error)) from error
