"""The clouds: create, list and destroy VMs behind one small contract.

`open_provider` gives a Provider; everything else here is what it takes, returns and raises.
"""

from .batch_images import BATCH_IMAGES, BatchImage
from .errors import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    NotFoundError,
    PlacementError,
    ProviderError,
    QuotaError,
    SettingError,
    ThrottledError,
    TransientError,
)
from .host_keys import HostKeys
from .leaks import MarkedProcess, marked_processes
from .provider import (
    Capabilities,
    Finding,
    Image,
    Placement,
    Profile,
    Provider,
    Severity,
    Size,
    Vm,
    VmSpec,
    VmState,
)
from .registry import open_provider
from .simulated import SimulatedProvider, SimulatedSettings

__all__ = [
    "BATCH_IMAGES",
    "AuthError",
    "BatchImage",
    "Capabilities",
    "CapacityError",
    "Finding",
    "HostKeys",
    "Image",
    "InvalidRequestError",
    "MarkedProcess",
    "NotFoundError",
    "Placement",
    "PlacementError",
    "Profile",
    "Provider",
    "ProviderError",
    "QuotaError",
    "SettingError",
    "Severity",
    "SimulatedProvider",
    "SimulatedSettings",
    "Size",
    "ThrottledError",
    "TransientError",
    "Vm",
    "VmSpec",
    "VmState",
    "marked_processes",
    "open_provider",
]
