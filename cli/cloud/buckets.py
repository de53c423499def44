"""S3: buckets of ours, put into and emptied."""

from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from types_boto3_s3 import S3ServiceResource


class Buckets:
    """The buckets of one region."""

    def __init__(self, region: str) -> None:
        self._s3: S3ServiceResource = boto3.resource("s3", region_name=region)

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Write an object."""
        self._s3.Bucket(bucket).put_object(Key=key, Body=content)

    def empty(self, bucket: str) -> None:
        """Delete every version of every object, every delete marker, and uploads that were never completed.

        A bucket that is gone is empty.
        """
        try:
            for upload in self._s3.Bucket(bucket).multipart_uploads.all():
                upload.abort()
            self._s3.Bucket(bucket).object_versions.delete()
        except self._s3.meta.client.exceptions.NoSuchBucket:
            return
