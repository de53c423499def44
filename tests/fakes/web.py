from jobspec import DispatchError, InputFile, NoInputs


class FakeWeb:
    """Files behind https: what is known of each, or what it is refused with."""

    def __init__(self) -> None:
        self.files: dict[str, InputFile | DispatchError] = {}

    def put(self, uri: str, size: int, etag: str) -> None:
        self.files[uri] = InputFile(uri=uri, bytes=size, etag=etag)

    def pin(self, uri: str) -> InputFile:
        found = self.files.get(uri, NoInputs(uri))
        if isinstance(found, DispatchError):
            raise found
        return found
