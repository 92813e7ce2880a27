"""What the service says when it refuses: status and message, as facts section D records them."""

from __future__ import annotations

from typing import NamedTuple


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """A request that the service would refuse. Whatever it had begun is rolled back."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.status = refusal.status
        self.message = refusal.message


class Refusal(NamedTuple):
    """A row of the service's error table."""

    status: int
    message: str

    def __call__(self) -> Refused:
        return Refused(self)


INVALID_BODY = Refusal(400, "Invalid request body")
INVALID_CONNECTION_TYPE = Refusal(400, "Invalid connection type")
INVALID_CREDENTIALS = Refusal(400, "Credentials are invalid")
INVALID_ROLE_ARN = Refusal(400, "Role arn is invalid")
INVALID_BUCKET = Refusal(400, "Bucket name is invalid")
INVALID_DATASET = Refusal(400, "Invalid Dataset")
BUCKET_DENIED = Refusal(400, "Bucket access denied")
DATASET_DENIED = Refusal(400, "Dataset access denied")
INVALID_PAYLOAD = Refusal(400, "Integration payload is not compliant with the schema")
INVALID_SCHEDULE = Refusal(400, "Invalid Schedule")
INVALID_FLOW = Refusal(400, "Integration flow error")
ONE_SCHEDULE = Refusal(400, "Only a single schedule is supported per integration")
NO_WORKSPACE = Refusal(400, "User does not have access to workspace")
NO_MODEL = Refusal(400, "User does not have access to model")
WRONG_VERSION = Refusal(400, "This API version is not supported for this request")
DUPLICATE = Refusal(400, "Duplicate resource name not allowed")
UNAUTHENTICATED = Refusal(401, "Unauthorized")
NOT_AUTHORIZED = Refusal(403, "Not Authorized")
NOT_PERMITTED = Refusal(403, "Not Permitted")
NOT_FOUND = Refusal(404, "Resource not found")
INVALID_CONNECTION_ID = Refusal(404, "Invalid connection_id")
NO_ERRORS = Refusal(404, "Your integration run was successful / no errors")
RUNNING = Refusal(409, "Integration is already running")
RUNNING_DELETE = Refusal(500, "A running integration cannot be deleted")
REFERENCED = Refusal(409, "The resource is being referenced")
SINGLE_JOB = Refusal(409, "Only a single job is supported by import/export integration")
TENANT_FULL = Refusal(409, "Total number of integrations exceeded the limit")
NOT_ENTITLED = Refusal(452, "Tenant not entitled")
MODEL_NOT_FOUND = Refusal(500, "Model Not Found Error")
INVALID_MODEL = Refusal(503, "Invalid workspace or model")
TOO_MANY_REQUESTS = Refusal(429, "Too many requests")


def not_running(integration_id: str) -> Refused:
    return Refused(Refusal(409, f"Integration {integration_id} is not in running state"))
