"""Objects in a bucket of a cloud, through obstore: Amazon S3 and what is compatible, Google, and Azure.

Credentials are found in the usual way of each cloud.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

from cwsync.errors import CwsyncError, fail
from cwsync.state.troubles import explained, no_bucket

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import AzureStore, ClientConfig, GCSStore, MemoryStore, RetryConfig, S3Store

    Client: TypeAlias = AzureStore | GCSStore | MemoryStore | S3Store

Version: TypeAlias = Mapping[str, str]
"""What tells one content of an object from another: an ETag, at Google the generation. Empty: nothing does."""

_CONNECTING = timedelta(seconds=10)
_ANSWERING = timedelta(seconds=30)
_READS_AGAIN = 3
_ENDPOINTS = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
)


@dataclass(frozen=True)
class Found:
    data: bytes
    version: Version


class Objects(Protocol):
    """The objects of one bucket. Each call raises `Trouble`."""

    def get(self, path: str) -> Found | None:
        """The object, or None where there is none."""

    def put(self, path: str, data: bytes, over: Version | None) -> Version:
        """Write the object in the place of the version `over` (None: of nothing), and try that only once."""

    def delete(self, path: str) -> None:
        """Delete the object."""


class Bucket:
    """One bucket. Reading is tried again where it fails in passing, by `reader`. Writing never is: the reply to
    a write that was made may be lost, and the second try would then meet its own object."""

    def __init__(self, cloud: str, name: str, reader: Client, writer: Client) -> None:
        self._cloud = cloud
        self._name = name
        self._reader = reader
        self._writer = writer

    def get(self, path: str) -> Found | None:
        import obstore

        with self._explained():
            try:
                found = obstore.get(self._reader, path)
            except FileNotFoundError as error:
                if no_bucket(error):
                    raise
                return None
            return Found(bytes(found.bytes()), _version(found.meta["e_tag"], found.meta["version"]))

    def put(self, path: str, data: bytes, over: Version | None) -> Version:
        import obstore

        mode = cast("PutMode", "create" if over is None else dict(over))
        with self._explained():
            made = obstore.put(self._writer, path, data, mode=mode, use_multipart=False)
        return _version(made["e_tag"], made["version"])

    def delete(self, path: str) -> None:
        import obstore

        with self._explained():
            obstore.delete(self._writer, path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whoever provides credentials may raise anything
            raise explained(error, self._cloud, self._name) from None


def open_bucket(url: str) -> tuple[Bucket, str]:
    """The bucket of s3://…, gs://… or az://…, and the path in it.

    Raises CW701 where obstore is not installed, and CW401 where the cloud's settings cannot be used.
    """
    parts = urlsplit(url)
    try:
        import obstore.exceptions
    except ImportError as error:
        raise fail(
            "CW701",
            f"a state at {url} needs {error.name}, which is not installed",
            hint="pip install 'cwsync[remote]'",
        ) from None
    try:
        reader, writer = (_client(parts.scheme, parts.netloc, tries) for tries in (_READS_AGAIN, 0))
    except CwsyncError:
        raise
    except (obstore.exceptions.BaseError, ValueError, OSError) as error:
        trouble = explained(error, parts.scheme, parts.netloc)
        raise fail(
            "CW401", f"the state {url} cannot be reached: {trouble.reason}", hint=trouble.hint
        ) from None
    return Bucket(parts.scheme, parts.netloc, reader, writer), parts.path.lstrip("/")


def _client(cloud: str, name: str, tries: int) -> Client:
    from obstore.store import AzureStore, GCSStore, S3Store

    options: ClientConfig = {"connect_timeout": _CONNECTING, "timeout": _ANSWERING}
    if any(os.environ.get(one, "").startswith("http://") for one in _ENDPOINTS):
        options["allow_http"] = True
    again: RetryConfig = {"max_retries": tries, "retry_timeout": _ANSWERING}
    if cloud == "gs":
        return GCSStore(name, client_options=options, retry_config=again)
    if cloud == "az":
        return AzureStore(name, client_options=options, retry_config=again)
    if os.environ.get("AWS_PROFILE") and not os.environ.get("AWS_ACCESS_KEY_ID"):
        return _with_profile(name, options, again)
    return S3Store(name, client_options=options, retry_config=again)


def _with_profile(name: str, options: ClientConfig, again: RetryConfig) -> S3Store:
    """Profiles are read by Amazon's own library, which knows all their forms."""
    from obstore.store import S3Store

    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise fail(
            "CW701",
            "the profile of AWS_PROFILE is read by boto3, which is not installed",
            hint="pip install boto3; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from None
    try:
        provider = Boto3CredentialProvider()
    except Exception as error:  # botocore's own, of many kinds
        raise ValueError("no such profile") from error
    return S3Store(name, client_options=options, retry_config=again, credential_provider=provider)


def _version(tag: str | None, version: str | None) -> Version:
    return {name: value for name, value in (("e_tag", tag), ("version", version)) if value is not None}
