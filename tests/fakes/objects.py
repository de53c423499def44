import hashlib
import threading
from collections.abc import Iterator

from functions.core.globs import Listed


class FakeBucket:
    """A bucket in memory, with versions."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.versions: dict[tuple[str, str], bytes] = {}
        self.written: list[str] = []
        self._lock = threading.Lock()

    def exists(self, key: str) -> bool:
        return key in self.objects

    def read(self, key: str, version: str | None = None, limit: int | None = None) -> bytes | None:
        found = self.versions.get((key, version)) if version else self.objects.get(key)
        return found if found is None else found[:limit]

    def write(self, key: str, content: bytes) -> None:
        with self._lock:
            self.objects[key] = content
            self.written.append(key)

    def write_new(self, key: str, content: bytes) -> bool:
        with self._lock:
            if key in self.objects:
                return False
            self.objects[key] = content
            self.written.append(key)
            return True

    def remove(self, key: str) -> None:
        with self._lock:
            self.objects.pop(key, None)

    def link(self, key: str, seconds: int) -> str:
        return f"https://bucket.example/{key}?expires={seconds}"

    def drop(self, key: str, content: bytes, version: str) -> None:
        """What somebody else writes."""
        self.objects[key] = content
        self.versions[key, version] = content


class FakeBuckets:
    """The buckets of data, in memory: `{bucket: {key: content}}`."""

    def __init__(self, **buckets: dict[str, bytes]) -> None:
        self.buckets = buckets

    def head(self, bucket: str, key: str) -> Listed | None:
        content = self.buckets.get(bucket, {}).get(key)
        return None if content is None else _listed(key, content)

    def listing(self, bucket: str, prefix: str, deep: bool) -> Iterator[Listed]:
        levels = set()
        for key, content in sorted(self.buckets.get(bucket, {}).items()):
            if not key.startswith(prefix):
                continue
            level, slash, _ = key[len(prefix) :].partition("/")
            if slash and not deep:
                levels.add(f"{prefix}{level}/")
            else:
                yield _listed(key, content)
        for level in sorted(levels):
            yield Listed(level, level=True)


def _listed(key: str, content: bytes) -> Listed:
    return Listed(key, len(content), hashlib.md5(content).hexdigest())
