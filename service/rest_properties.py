"""The properties of requests of the Batch REST API that are not as our structs have them: refused, or accepted without
effect. Every other property of a request is a field of a struct, and does what the service does.

`property_table` brings both together, for the documents. By names of structs; what is said of one counts for those that
are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Legacy names, by struct: the Azure CLI forwards them untouched.
OLD_NAMES: Mapping[str, Mapping[str, str]] = {
    "PoolSpecification": {"maxTasksPerNode": "taskSlotsPerNode"},
    "ResourceFile": {"blobSource": "httpUrl"},
}

_NO_IDENTITIES = "there are no managed identities here; sign the URL (SAS or presigned)"
_NO_WINDOWS = "nodes run Linux; leave it out"

#: Refused, and what there is instead: leaving it out in silence could run something elsewhere, later, or with other
#: rights than its user believes. Only a value that asks for nothing is let through.
REFUSED: Mapping[str, Mapping[str, str]] = {
    "PoolSpecification": {
        "applicationLicenses": "no licences are lent; let tasks reach a licence server of your own",
        "certificateReferences": "bring certificates as resource files of the start task, or as ${secret:...} in its "
        "environmentSettings",
        "cloudServiceConfiguration": "Cloud Services are no more; use virtualMachineConfiguration with an image of "
        "Linux",
        "identity": "there are no managed identities here; let the provider's settings give the VMs a role",
        "mountConfiguration": "mount it in the start task (with elevationLevel admin), or bring files as resourceFiles",
        "upgradePolicy": "nodes are never upgraded in place; name a newer image and let new nodes take over",
    },
    "VirtualMachineConfiguration": {
        "dataDisks": "choose an image or a vmSize with the disk that is needed",
        "diskEncryptionConfiguration": "disks are encrypted as the cloud's account has it by default; set it there",
        "extensions": "do it in the start task, or use an image that has it",
        "licenseType": _NO_WINDOWS,
        "nodePlacementConfiguration": "the settings of the provider say which `zones` nodes are in",
        "osDisk": "choose an image or a vmSize with the disk that is needed",
        "securityProfile": "use an image and a vmSize that have it; the provider's settings and account say the rest",
        "serviceArtifactReference": "name the image itself in imageReference",
        "windowsConfiguration": _NO_WINDOWS,
    },
    "NetworkConfiguration": {
        "dynamicVNetAssignmentScope": "name the subnet as subnetId of the pool's networkConfiguration",
        "endpointConfiguration": "no ports are forwarded; nodes have addresses of their own, which remote login "
        "settings tell, and the security group of the provider's settings says who reaches them",
        "publicIPAddressConfiguration": "whether nodes get public addresses is the provider's setting, or the subnet's",
    },
    "ResourceFile": {"identityReference": _NO_IDENTITIES},
    "OutputFileContainer": {"identityReference": _NO_IDENTITIES},
    "ContainerRegistry": {"identityReference": "there are no managed identities here; give username and password"},
    "ContainerSettings": {
        "containerHostBatchBindMounts": "containers see the folders of their task; mount others by containerRunOptions"
    },
    "LinuxUserConfiguration": {
        "sshPrivateKey": "nodes of a pool with enableInterNodeCommunication log in to each other by keys of their own"
    },
    "UserAccount": {"windowsUserConfiguration": _NO_WINDOWS},
    "JobSpecification": {
        "networkConfiguration": "name the subnet as subnetId of the networkConfiguration of the job's pool",
    },
}

#: Accepted without effect, and why that does no harm: who asks for it is told, and finds it with the object.
ACCEPTED: Mapping[str, Mapping[str, str]] = {
    "PoolSpecification": {
        "resourceTags": "is kept with the pool; VMs do not carry it",
        "targetNodeCommunicationMode": "has no effect; the controller reaches nodes over SSH, and they need reach "
        "nothing",
    },
    "NetworkConfiguration": {
        "enableAcceleratedNetworking": "has no effect; the vmSize decides what the network of a node is like",
    },
    "TaskSchedulingPolicy": {
        "jobDefaultOrder": "has no effect; tasks of jobs of the same priority start in the order they were added in",
    },
}

_OBJECT = frozenset(("creationTime", "eTag", "lastModified", "odata.metadata", "state", "stateTransitionTime", "url"))
_WORK = _OBJECT | {"executionInfo", "previousState", "previousStateTransitionTime", "stats"}

#: Properties that the service answers and nobody asks for; a pasted answer holds them. Over the API they count for
#: nothing, so that what was answered can be asked for; in workload files they are refused.
ANSWERED: Mapping[str, frozenset[str]] = {
    "Collection": frozenset(("odata.metadata", "odata.nextLink")),
    "PoolSpec": _OBJECT
    | {
        "allocationState",
        "allocationStateTransitionTime",
        "autoScaleRun",
        "currentDedicatedNodes",
        "currentLowPriorityNodes",
        "currentNodeCommunicationMode",
        "resizeErrors",
        "stats",
        "warnings",
    },
    "JobSpec": _WORK | {"warnings"},
    "JobScheduleSpec": _WORK | {"warnings"},
    "TaskSpec": _WORK | {"nodeInfo", "schedulingError"},
    "ImageReference": frozenset(("exactVersion",)),
}

#: Values by which such a property, or one within it, asks for nothing, beside null, false, empty text, list and group.
NEUTRAL: Mapping[str, frozenset[str]] = {
    "caching": frozenset(("none",)),
    "dynamicVNetAssignmentScope": frozenset(("none",)),
    "jobDefaultOrder": frozenset(("none",)),
    "mode": frozenset(("manual",)),
    "policy": frozenset(("regional",)),
    "provision": frozenset(("batchmanaged",)),
    "targetNodeCommunicationMode": frozenset(("default",)),
}


def old_names(kind: type) -> dict[str, str]:
    """The names that they stand for, by the old ones."""
    return _of(kind, OLD_NAMES)


def refused(kind: type) -> dict[str, str]:
    """What there is instead, by the names of a struct's properties that are refused."""
    return _of(kind, REFUSED)


def accepted(kind: type) -> dict[str, str]:
    """Why nothing comes of them, by the names of a struct's properties that have no effect."""
    return _of(kind, ACCEPTED)


def answered(kind: type) -> frozenset[str]:
    """The properties of a struct that are only answered."""
    return frozenset().union(*(ANSWERED.get(each.__name__, frozenset()) for each in kind.__mro__))


def _of(kind: type, table: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: text for each in kind.__mro__ for name, text in table.get(each.__name__, {}).items()}
