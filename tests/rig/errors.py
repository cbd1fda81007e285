"""What the fake EC2 answers when it refuses: the HTTP status of each code, and the bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

_STATUS = {
    "AuthFailure": 401,
    "DryRunOperation": 412,
    "InternalError": 500,
    "InternalFailure": 500,
    "InsufficientAddressCapacity": 500,
    "InsufficientCapacity": 500,
    "InsufficientHostCapacity": 500,
    "InsufficientInstanceCapacity": 500,
    "InsufficientReservedInstanceCapacity": 500,
    "InvalidClientTokenId": 403,
    "OptInRequired": 401,
    "RequestLimitExceeded": 503,
    "ServerInternal": 500,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "Unavailable": 503,
    "UnauthorizedOperation": 403,
    "AccessDenied": 403,
}
#: Refusals that say nothing about permission and form: a dry run never meets them.
ONLY_FOR_REAL = {
    "InstanceLimitExceeded",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "MaxSpotInstanceCountExceeded",
    "SpotMaxPriceTooLow",
    "VcpuLimitExceeded",
}


@dataclass(frozen=True)
class Refusal(Exception):
    code: str
    message: str

    def answer(self, service: str = "ec2", request_id: str = "") -> tuple[int, str, bytes]:
        """Status, content type and body, in the form of that service."""
        code, message = escape(self.code), escape(self.message)
        if service not in ("ec2", "sts"):
            return self.status, "application/x-amz-json-1.1", json.dumps(
                {"__type": self.code, "message": self.message}
            ).encode()
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        if service == "ec2":
            body = f"<Response><Errors>{error}</Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
        return self.status, "text/xml;charset=UTF-8", f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()

    @property
    def status(self) -> int:
        return status_of(self.code)


def status_of(code: str) -> int:
    return _STATUS.get(code, 400)
