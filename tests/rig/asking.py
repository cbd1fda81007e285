"""How the rig's own tests ask it for something."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rig import IMAGE, SIZE, CloudRig


def run(rig: CloudRig, **changes: Any) -> str:
    """The id of a new instance, by boto3, which tries once."""
    asked = {"ImageId": IMAGE, "InstanceType": SIZE, "MinCount": 1, "MaxCount": 1, **changes}
    return str(rig.boto3().run_instances(**asked)["Instances"][0]["InstanceId"])


def refused(action: Callable[[], Any]) -> tuple[str, int]:
    """Code and HTTP status of the error that it must meet."""
    with pytest.raises(ClientError) as caught:
        action()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return value
