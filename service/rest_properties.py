"""What the Batch REST API knows beyond our structs: old names, and properties that are not supported yet.

A property that is not supported is refused: leaving it out in silence could run something elsewhere, later,
or with other rights than its user believes. Only a value that asks for nothing is let through.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Legacy names, by struct: the Azure CLI forwards them untouched.
OLD_NAMES: Mapping[str, Mapping[str, str]] = {
    "PoolSpec": {"maxTasksPerNode": "taskSlotsPerNode"},
    "PoolSpecification": {"maxTasksPerNode": "taskSlotsPerNode"},
    "ResourceFile": {"blobSource": "httpUrl"},
}

_POOL = (
    "applicationLicenses",
    "certificateReferences",
    "cloudServiceConfiguration",
    "identity",
    "mountConfiguration",
    "resourceTags",
    "targetNodeCommunicationMode",
    "upgradePolicy",
)
_JOB = (
    "networkConfiguration",
)

#: Properties of requests that are not supported yet, by struct.
UNSUPPORTED: Mapping[str, frozenset[str]] = {
    name: frozenset(properties)
    for name, properties in {
        "PoolSpec": _POOL,
        "PoolSpecification": _POOL,
        "VirtualMachineConfiguration": (
            "dataDisks",
            "diskEncryptionConfiguration",
            "extensions",
            "licenseType",
            "nodePlacementConfiguration",
            "osDisk",
            "securityProfile",
            "serviceArtifactReference",
            "windowsConfiguration",
        ),
        "NetworkConfiguration": (
            "dynamicVNetAssignmentScope",
            "enableAcceleratedNetworking",
            "endpointConfiguration",
            "publicIPAddressConfiguration",
        ),
        "ResourceFile": ("identityReference",),
        "OutputFileContainer": ("identityReference",),
        "ContainerRegistry": ("identityReference",),
        "ContainerSettings": ("containerHostBatchBindMounts",),
        "LinuxUserConfiguration": ("sshPrivateKey",),
        "UserAccount": ("windowsUserConfiguration",),
        "JobSpecification": _JOB,
        "JobWithTasks": _JOB,
    }.items()
}

#: Properties that the service answers and nobody asks for; a pasted answer holds them.
ANSWERED = frozenset(
    (
        "allocationState",
        "allocationStateTransitionTime",
        "autoScaleRun",
        "creationTime",
        "currentDedicatedNodes",
        "currentLowPriorityNodes",
        "currentNodeCommunicationMode",
        "eTag",
        "executionInfo",
        "lastModified",
        "nodeInfo",
        "odata.metadata",
        "previousState",
        "previousStateTransitionTime",
        "resizeErrors",
        "state",
        "stateTransitionTime",
        "stats",
        "url",
    )
)

#: Values by which an unsupported property asks for nothing, beside null, false, empty text, list and group.
NEUTRAL: Mapping[str, frozenset[str]] = {
    "dynamicVNetAssignmentScope": frozenset(("none",)),
    "targetNodeCommunicationMode": frozenset(("default",)),
}

#: What `imageReference` may hold.
IMAGE = frozenset(
    (
        "communityGalleryImageId",
        "offer",
        "publisher",
        "sharedGalleryImageId",
        "sku",
        "version",
        "virtualMachineImageId",
    )
)
