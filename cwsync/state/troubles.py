"""What goes wrong with a bucket, in plain words.

What an exception of obstore says is never shown: it may quote what the service has answered, and an Azure address
can hold a signature. Only its status and its error's name are taken from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NO_BUCKET = re.compile("NoSuchBucket|ContainerNotFound|bucket does not exist")
# Where machines in a cloud ask for their role: whoever ends up there has been given nothing else.
_ROLES = re.compile(r"169\.254\.\d+\.\d+|metadata\.google\.internal|fd00:ec2::")
_UNKNOWN_CREDENTIALS = re.compile(
    "SignatureDoesNotMatch|InvalidAccessKeyId|AuthenticationFailed|ExpiredToken|InvalidToken"
)
_AGAIN = "run the command again in a little while"
_NETWORK = "see that the network, the proxy and the endpoint's address are right"
_ELSEWHERE = "keep the state in another bucket, or in a file: `state` in cwsync.yaml"


class Trouble(Exception):  # noqa: N818 - it is no mistake of the caller's
    """A request that has not come to a good end, in plain words. Of a write it is open whether it was made.

    `condition`: the service says that the condition does not hold, `unknown` that it knows no conditions.
    `final`: trying again is of no use.
    """

    def __init__(
        self, reason: str, hint: str, *, condition: bool = False, unknown: bool = False, final: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.condition = condition
        self.unknown = unknown
        self.final = final


@dataclass(frozen=True)
class _Cloud:
    name: str
    bucket: str
    credentials: str


_CLOUDS = {
    "s3": _Cloud(
        "S3",
        "bucket",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; or give the machine a role",
    ),
    "gs": _Cloud(
        "Google Cloud Storage",
        "bucket",
        "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run gcloud auth application-default login",
    ),
    "az": _Cloud(
        "Azure Blob Storage",
        "container",
        "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or another way of signing in",
    ),
}


def no_bucket(error: Exception) -> bool:
    """Whether it is the bucket that is missing, and not the object."""
    return _NO_BUCKET.search(str(error)) is not None


def explained(error: Exception, cloud: str, name: str) -> Trouble:
    """What an exception of obstore means; the first line that fits tells most."""
    from obstore import exceptions as obstore

    text, its = str(error), _CLOUDS[cloud]
    status, code = _first(r"status code: (\d{3})", text), _first(r"<Code>(\w+)</Code>", text)

    def is_a(*kinds: type[Exception]) -> bool:
        return isinstance(error, kinds)

    meanings = (
        (
            no_bucket(error) or is_a(FileNotFoundError),
            Trouble(
                f"{its.name} has no {its.bucket} {name}",
                f"create it, or correct `state` in cwsync.yaml; cwsync makes no {its.bucket} itself",
                final=True,
            ),
        ),
        (
            is_a(obstore.AlreadyExistsError, obstore.PreconditionError) or status in ("409", "412"),
            Trouble("somebody else wrote it at the same time", _AGAIN, condition=True),
        ),
        (
            _ROLES.search(text),
            Trouble(f"there are no credentials for {its.name}", its.credentials, final=True),
        ),
        (
            is_a(obstore.UnauthenticatedError) or status == "401" or _UNKNOWN_CREDENTIALS.fullmatch(code),
            Trouble(f"{its.name} does not accept the credentials", its.credentials, final=True),
        ),
        (
            is_a(obstore.PermissionDeniedError) or status == "403",
            Trouble(
                "the credentials may not do this",
                f"they need to read, write, list and delete objects in the {its.bucket} {name}",
                final=True,
            ),
        ),
        (
            is_a(obstore.NotSupportedError, NotImplementedError) or status == "501",
            Trouble("the service knows no conditional writes", _ELSEWHERE, unknown=True, final=True),
        ),
        (
            status,
            Trouble(f"{its.name} has answered with the status {status}{code and f' ({code})'}", _AGAIN),
        ),
        ("kind: Timeout" in text, Trouble(f"{its.name} has not answered in time", _NETWORK)),
        ("HTTP error" in text, Trouble(f"{its.name} cannot be reached", _NETWORK)),
        (
            True,
            Trouble(
                f"the credentials or settings for {its.name} cannot be used", its.credentials, final=True
            ),
        ),
    )
    return next(trouble for fits, trouble in meanings if fits)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""
