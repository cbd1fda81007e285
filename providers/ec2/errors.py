"""What EC2 says when it refuses, as typed errors with the cure.

Codes: "Error codes for the Amazon EC2 API" of its API reference.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..errors import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    NotFoundError,
    PlacementError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
)

log = logging.getLogger(__name__)

_QUOTAS = (
    "raise it on the Service Quotas page of the AWS console (service EC2; quota {}; other families have their own, "
    "which `ebbtide provider check` names), or use fewer VMs"
)
_ON_DEMAND = _QUOTAS.format("L-1216C47A for standard on-demand VMs")
_SPOT = _QUOTAS.format("L-34B43A08 for standard spot VMs")
_LIMIT = "raise the limit on the Service Quotas page of the AWS console, or remove what is not needed"
_KEYS = (
    "check accessKeyId and secretAccessKey, or the AWS profile, environment or role that gives them, and this "
    "machine's clock"
)
_RENEW = "the temporary credentials are over: renew them"
_ALLOW = "allow the action{action} to these credentials (docs/clouds/ec2.md lists what is needed)"
_SLOWER = "AWS counts the calls of the account in the region: wait, or let fewer programs ask"
_WAY = "check `region` and `endpoint`, and this machine's way to the network"
_ELSEWHERE = "another size or zone may have room"

_CAPACITY = {
    "InsufficientInstanceCapacity": _ELSEWHERE,
    "InsufficientHostCapacity": _ELSEWHERE,
    "InsufficientReservedInstanceCapacity": _ELSEWHERE,
    "InsufficientCapacity": _ELSEWHERE,
    "InsufficientCapacityOnHost": _ELSEWHERE,
    "InsufficientVolumeCapacity": _ELSEWHERE,
    "ReservationCapacityExceeded": _ELSEWHERE,
    "UnfulfillableCapacity": _ELSEWHERE,
    "Unsupported": "this zone does not offer the size; another zone or size may",
    "VolumeTypeNotAvailableInZone": "another zone may have it",
    "InsufficientFreeAddressesInSubnet": "the subnet has no free address; another zone's subnet may",
    "SpotMaxPriceTooLow": "the spot price is above maxPrice now; raise it, or wait",
}
_QUOTA = {
    "InstanceLimitExceeded": _ON_DEMAND,
    "VcpuLimitExceeded": _ON_DEMAND,
    "MaxSpotInstanceCountExceeded": _SPOT,
    "MaxSpotFleetRequestCountExceeded": _SPOT,
    "SpotInstanceCountExceeded": _SPOT,
    "PendingVerification": "AWS still verifies the account for this region; wait, or ask AWS support",
    "ResourceLimitExceeded": _LIMIT,
    "ResourceCountExceeded": _LIMIT,
    "VolumeLimitExceeded": _LIMIT,
    "MaxIOPSLimitExceeded": _LIMIT,
    "NetworkInterfaceLimitExceeded": _LIMIT,
    "AddressLimitExceeded": _LIMIT,
    "PrivateIpAddressLimitExceeded": _LIMIT,
    "SecurityGroupLimitExceeded": _LIMIT,
    "KeyPairLimitExceeded": _LIMIT,
}
_THROTTLED = (
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "EC2ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ConcurrentTagAccess",
)
_AUTH = {
    "UnauthorizedOperation": _ALLOW,
    "AccessDenied": _ALLOW,
    "AccessDeniedException": _ALLOW,
    "AuthFailure": _KEYS,
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": (
        "spot VMs need the role AWSServiceRoleForEC2Spot once: aws iam create-service-linked-role "
        "--aws-service-name spot.amazonaws.com"
    ),
    "InvalidClientTokenId": _KEYS,
    "InvalidAccessKeyId": _KEYS,
    "UnrecognizedClientException": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "IncompleteSignature": _KEYS,
    "MissingAuthenticationToken": _KEYS,
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "RequestExpired": "the credentials are over, or this machine's clock is wrong",
    "OptInRequired": "subscribe to what the image or the region needs, in the AWS console",
    "Blocked": "AWS has blocked the account: ask AWS support",
    "OperationNotPermitted": "the VM is protected: switch its termination protection off in the AWS console",
}
_TRANSIENT = (
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServerInternal",
    "ServiceUnavailable",
    "Unavailable",
    "RequestTimeout",
    "RequestTimeoutException",
    "DependencyViolation",
    "IncorrectInstanceState",
    "IncorrectState",
    "ResponseError",
)
_GONE = ("InvalidInstanceID.NotFound",)
_INVALID = {
    "InvalidInstanceID.Malformed": None,
    "InvalidAMIID.NotFound": "name an image of this region that these credentials may use",
    "InvalidAMIID.Unavailable": "name another image",
    "InvalidAMIID.Malformed": "an image id looks like ami-0123456789abcdef0",
    "InvalidSubnetID.NotFound": "name a subnet of this region, or leave `subnet` out",
    "InvalidGroup.NotFound": "name security groups of the subnet's network, or leave securityGroups out",
    "InvalidKeyPair.NotFound": "name a key pair of this region, or leave keyPair out",
    "VPCIdNotSpecified": "this region has no default network: set `subnet` or `subnets`",
    "IdempotentParameterMismatch": "a VM of this name was asked for before with other settings",
}
_PLACEMENT = {
    "MissingInput": (
        "the zone has no default subnet: make one (aws ec2 create-default-subnet), set `subnets`, or leave the zone "
        "out of `zones`"
    ),
}

#: Refusals by which EC2 says for certain that a create call has made no VM.
NOTHING_MADE = (CapacityError, QuotaError, ThrottledError, AuthError, InvalidRequestError)

#: What botocore raises when a login by the browser is missing or over.
_LOGINS = (
    "SSOError",
    "SSOTokenLoadError",
    "UnauthorizedSSOTokenError",
    "PendingAuthorizationExpiredError",
    "TokenRetrievalError",
)
#: What botocore, and requests below libcloud, raise when nobody answers.
_UNANSWERED = (
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
)
#: Whose errors are about the connection or the answer, and not about us.
_CLIENTS = ("botocore", "boto3", "libcloud", "urllib3", "requests", "http")
_LINE = re.compile(r"^['\"]?(\w+(?:\.\w+)*): (.*)$")
_SEALED = "Encoded authorization failure message:"  # a kilobyte that only AWS can read
_INSTANCE_IDS = re.compile(r"\bi-[0-9a-f]+\b")


def code_of(error: BaseException | None) -> str | None:
    """EC2's own code of an error: of what a client raised, or of the typed error that was made of it."""
    return next((code for code, _ in _told(error.__cause__ or error)), None) if error is not None else None


def instances_named(error: ProviderError) -> set[str]:
    """The ids that a refusal speaks of."""
    return set(_INSTANCE_IDS.findall(str(error)))


def typed(exc: Exception, provider: str) -> ProviderError:
    """What boto3 or libcloud raised as one of our errors; `exc` itself if it is one already."""
    if isinstance(exc, ProviderError):
        return exc
    told = list(_told(exc))
    for code, message in told:
        known = _known().get(code)
        if known is not None:
            kind, cure = known
            return _made(kind, provider, code, message, cure and cure.replace("{action}", _action(exc)))
    status = _status(exc)
    if told:
        code, message = told[0]
        kind = TransientError if status >= 500 else InvalidRequestError
        return _made(kind, provider, code, message, None)
    name = type(exc).__name__
    text = f"provider {provider}: {str(exc) or name}"
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"):
        return AuthError(f"{text}; give accessKeyId and secretAccessKey, or an AWS profile, environment or role")
    if name in _LOGINS:
        return AuthError(f"{text}; the login is over: aws sso login (with --profile, if the settings name one)")
    if name in ("ParamValidationError", "UnknownParameterError"):
        return InvalidRequestError(text)
    if name in _UNANSWERED:
        return TransientError(f"{text}; {_WAY}")
    if status in (401, 403):
        return AuthError(f"{text}; {_KEYS}")
    if status == 429:
        return ThrottledError(f"{text}; {_SLOWER}")
    if not isinstance(exc, OSError) and type(exc).__module__.partition(".")[0] not in _CLIENTS:
        log.error("provider %s: an error that no client of EC2 raises", provider, exc_info=exc)
    return TransientError(text)


def _made(kind: type[ProviderError], provider: str, code: str, message: str, cure: str | None) -> ProviderError:
    said = message.partition(_SEALED)[0].strip().rstrip(".")
    return kind(f"provider {provider}: {code}: {said}" + (f"; {cure}" if cure else ""))


def _action(exc: Exception) -> str:
    """boto3 tells it, libcloud does not."""
    name = getattr(exc, "operation_name", None)
    return f" {name}" if name else ""


def _told(exc: BaseException) -> Iterator[tuple[str, str]]:
    """(code, message) of each error in EC2's answer: boto3 keeps the first, libcloud joins all as lines of text."""
    answer: Any = getattr(exc, "response", None)
    if isinstance(answer, dict) and "Error" in answer:
        code = str(answer["Error"].get("Code", ""))
        yield code, str(answer["Error"].get("Message", "") or code)
        return
    if type(exc).__name__ == "KeyPairDoesNotExistError":
        yield "InvalidKeyPair.NotFound", f"the key pair {getattr(exc, 'name', None)!r} does not exist"
        return
    value = getattr(exc, "value", None) or getattr(exc, "message", None)
    for line in str(value if value is not None else "").splitlines():
        if found := _LINE.match(line):
            yield found[1], found[2]


def _status(exc: Exception) -> int:
    """The HTTP status, 0 if there is none."""
    answer: Any = getattr(exc, "response", None)
    if isinstance(answer, dict):
        return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = getattr(exc, "code", 0)
    return code if isinstance(code, int) else 0


@cache
def _known() -> dict[str, tuple[type[ProviderError], str | None]]:
    table: dict[str, tuple[type[ProviderError], str | None]] = {}
    curing: list[tuple[type[ProviderError], dict[str, Any]]] = [
        (CapacityError, dict(_CAPACITY)),
        (QuotaError, dict(_QUOTA)),
        (AuthError, dict(_AUTH)),
        (InvalidRequestError, dict(_INVALID)),
        (PlacementError, dict(_PLACEMENT)),
        (ThrottledError, dict.fromkeys(_THROTTLED, _SLOWER)),
        (TransientError, dict.fromkeys(_TRANSIENT)),
        (NotFoundError, dict.fromkeys(_GONE)),
    ]
    for kind, cures in curing:
        table.update({code: (kind, cure) for code, cure in cures.items()})
    return table
