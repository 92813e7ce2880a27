"""What a call to the service can end in, other than a reply (engine protocol, rule R3)."""

from __future__ import annotations

from cwsync.errors import CwsyncError, Problem


class ServiceError(CwsyncError):
    """A call that failed.

    `message` is the service's own text where it gave one, `status` the HTTP status where there was
    a reply. Reads that fail for want of a usable reply raise this class itself.
    """

    def __init__(self, problem: Problem, *, status: int | None = None, message: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.message = message


class Rejected(ServiceError):  # noqa: N818 - an outcome by the protocol's own name
    """The service did nothing: it said so, or the request never left."""


class Busy(Rejected):
    """An integration is running, and the call has to wait for its end (facts B38)."""


class Referenced(Rejected):
    """Something still refers to the object."""


class NotFound(Rejected):
    """The service itself says that it does not know the object; a gateway's 404 page is not this."""


class Forbidden(Rejected):
    """The credentials are good, and the user may not do this."""


class Ambiguous(ServiceError):  # noqa: N818 - an outcome by the protocol's own name
    """A mutation whose effect is not known. Only reading the tenant can tell."""


class Duplicate(Ambiguous):
    """The name is taken: by someone else, or by an earlier request of ours that did arrive."""


class Incomplete(ServiceError):  # noqa: N818 - reads like its siblings
    """A list of which not every entry could be read."""
