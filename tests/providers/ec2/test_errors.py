"""What EC2's codes become, from libcloud's exceptions and from boto3's."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, MalformedResponseError
from libcloud.compute.drivers.ec2 import IdempotentParamError
from libcloud.compute.types import KeyPairDoesNotExistError
from requests.exceptions import ConnectionError as LostConnection
from requests.exceptions import ReadTimeout

from providers import (
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
from providers.ec2.errors import code_of, instances_named, typed

CODES = [
    ("InsufficientInstanceCapacity", 500, CapacityError, "another size or zone"),
    ("SpotMaxPriceTooLow", 400, CapacityError, "maxPrice"),
    ("Unsupported", 400, CapacityError, "another zone"),
    ("InsufficientFreeAddressesInSubnet", 400, CapacityError, "subnet"),
    ("VcpuLimitExceeded", 400, QuotaError, "L-1216C47A"),
    ("InstanceLimitExceeded", 400, QuotaError, "Service Quotas"),
    ("MaxSpotInstanceCountExceeded", 400, QuotaError, "L-34B43A08"),
    ("RequestLimitExceeded", 503, ThrottledError, "wait"),
    ("Throttling", 400, ThrottledError, ""),
    ("UnauthorizedOperation", 403, AuthError, "allow the action"),
    ("ExpiredToken", 400, AuthError, "renew"),
    ("RequestExpired", 400, AuthError, "clock"),
    ("InvalidAMIID.NotFound", 400, InvalidRequestError, "image of this region"),
    ("InvalidSubnetID.NotFound", 400, InvalidRequestError, "subnet"),
    ("VPCIdNotSpecified", 400, InvalidRequestError, "subnet"),
    ("MissingInput", 400, PlacementError, "zone"),
    ("InvalidParameterValue", 400, InvalidRequestError, ""),
    ("IdempotentInstanceTerminated", 400, InvalidRequestError, ""),
    ("InvalidInstanceID.NotFound", 400, NotFoundError, ""),
    ("InternalError", 500, TransientError, ""),
    ("DependencyViolation", 400, TransientError, ""),
    ("SomethingNew", 400, InvalidRequestError, ""),
    ("SomethingNew", 503, TransientError, ""),
]


@pytest.mark.parametrize(("code", "status", "expected", "cure"), CODES)
def test_a_code_of_either_client(code: str, status: int, expected: type[ProviderError], cure: str) -> None:
    answer = {"Error": {"Code": code, "Message": "Told so."}, "ResponseMetadata": {"HTTPStatusCode": status}}
    raised: list[Exception] = [
        ClientError(answer, "RunInstances"),
        BaseHTTPError(status, f"{code}: Told so."),
    ]
    for exc in raised:
        error = typed(exc, "aws")
        assert type(error) is expected
        assert str(error).startswith(f"provider aws: {code}: Told so") and cure in str(error)
        assert code_of(exc) == code


@pytest.mark.parametrize(
    ("raised", "expected", "code"),
    [
        (InvalidCredsError("AuthFailure: no"), AuthError, "AuthFailure"),
        (IdempotentParamError("IdempotentParameterMismatch: no"), InvalidRequestError, "IdempotentParameterMismatch"),
        (KeyPairDoesNotExistError("k", None), InvalidRequestError, "InvalidKeyPair.NotFound"),
        (BaseHTTPError(400, "Strange: x\nVcpuLimitExceeded: y"), QuotaError, "Strange"),
        (BaseHTTPError(403, ""), AuthError, None),
        (BaseHTTPError(429, ""), ThrottledError, None),
        (MalformedResponseError("no XML", "<html>"), TransientError, None),
        (LostConnection("gone"), TransientError, None),
        (ReadTimeoutError(endpoint_url="x"), TransientError, None),
        (EndpointConnectionError(endpoint_url="x"), TransientError, None),
        (NoCredentialsError(), AuthError, None),
        (QuotaError("ours already"), QuotaError, None),
    ],
)
def test_what_else_is_raised(raised: Exception, expected: type[ProviderError], code: str | None) -> None:
    assert type(typed(raised, "aws")) is expected
    assert code_of(raised) == code


@pytest.mark.parametrize(
    "raised", [ReadTimeoutError(endpoint_url="x"), EndpointConnectionError(endpoint_url="x"), ReadTimeout("slow")]
)
def test_silence_is_told_with_the_cure(raised: Exception) -> None:
    assert str(typed(raised, "aws")).endswith("; check `region` and `endpoint`, and this machine's way to the network")


def test_the_code_is_found_through_the_typed_error() -> None:
    with pytest.raises(CapacityError) as caught:
        try:
            raise BaseHTTPError(500, "InsufficientInstanceCapacity: none")
        except BaseHTTPError as exc:
            raise typed(exc, "aws") from exc
    assert code_of(caught.value) == "InsufficientInstanceCapacity"
    assert code_of(None) is None


def test_a_mistake_of_ours_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert type(typed(KeyError("x"), "aws")) is TransientError
    assert "no client of EC2 raises" in caplog.text


def test_ids_in_a_refusal() -> None:
    error = NotFoundError("provider aws: The instance IDs 'i-0ab1, i-0ab2' do not exist")
    assert instances_named(error) == {"i-0ab1", "i-0ab2"}
