"""What images and sizes of Azure's are on EC2, where the settings say nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..batch_images import usual_images

#: OWNER/NAME of the publisher's own images; `*` takes the newest.
IMAGES: Mapping[str, str] = usual_images(
    {
        "ubuntu-20.04": "099720109477/ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*",
        "ubuntu-22.04": "099720109477/ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*",
        "ubuntu-24.04": "099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*",
        "ubuntu-22.04-gpu": "amazon/Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *",
        "debian-11": "136693071363/debian-11-amd64-*",
        "debian-12": "136693071363/debian-12-amd64-*",
        "almalinux-9": "764336703387/AlmaLinux OS 9.* x86_64",
    }
)

#: What EC2's own sizes look like.
OWN_SIZES = r"[a-z][a-z0-9-]*\.[a-z0-9-]+"

#: Sizes of one family differ by vCPUs alone, in both clouds. Azure's names with their numbers of vCPUs in braces, and
#: EC2's families with as much memory for each vCPU, best first: the next one is for when the first has no room.
_FAMILIES = (
    ("d{2,4,8,16,32,48,64}_v3 d{2,4,8,16,32,48,64}s_v3", "m5 m6i"),
    ("d{2,4,8,16,32,48,64}_v4 d{2,4,8,16,32,48,64}s_v4", "m5 m6i"),
    ("d{2,4,8,16,32,48,64}d_v4 d{2,4,8,16,32,48,64}ds_v4", "m5 m6i"),
    ("d{2,4,8,16,32,48,64,96}a_v4 d{2,4,8,16,32,48,64,96}as_v4", "m5a m6a"),
    ("d{2,4,8,16,32,48,64,96}_v5 d{2,4,8,16,32,48,64,96}s_v5", "m6i m5"),
    ("d{2,4,8,16,32,48,64,96}d_v5 d{2,4,8,16,32,48,64,96}ds_v5", "m6i m5"),
    ("d{2,4,8,16,32,48,64,96}as_v5 d{2,4,8,16,32,48,64,96}ads_v5", "m6a m5a"),
    ("d{2,4,8,16,32,48,64,96}s_v6 d{2,4,8,16,32,48,64,96}ds_v6", "m7i m6i"),
    ("d{2,4,8,16,32,48,64,96}as_v6 d{2,4,8,16,32,48,64,96}ads_v6", "m7a m6a"),
    ("e{2,4,8,16,32,48,64}_v3 e{2,4,8,16,32,48,64}s_v3", "r5 r6i"),
    ("e{2,4,8,16,32,48,64}_v4 e{2,4,8,16,32,48,64}s_v4", "r5 r6i"),
    ("e{2,4,8,16,32,48,64}d_v4 e{2,4,8,16,32,48,64}ds_v4", "r5 r6i"),
    ("e{2,4,8,16,32,48,64,96}a_v4 e{2,4,8,16,32,48,64,96}as_v4", "r5a r6a"),
    ("e{2,4,8,16,32,48,64,96}_v5 e{2,4,8,16,32,48,64,96}s_v5", "r6i r5"),
    ("e{2,4,8,16,32,48,64,96}d_v5 e{2,4,8,16,32,48,64,96}ds_v5", "r6i r5"),
    ("e{2,4,8,16,32,48,64,96}as_v5 e{2,4,8,16,32,48,64,96}ads_v5", "r6a r5a"),
    ("f{2,4,8,16,32,48,64}s_v2", "c6i c5a"),
    ("l{8,16,32}s_v2 l{8,16,32}s_v3", "i4i"),
)
_BY_CPUS = {2: "large", 4: "xlarge", **{4 * count: f"{count}xlarge" for count in (2, 4, 8, 12, 16, 24)}}

#: The rest by name: old sizes, sizes that burst, and those with GPUs (as many of the same kind, or of the next).
_SINGLE = {
    "a1_v2": "c5.large",
    "a2_v2": "c5.large",
    "a4_v2": "c5.xlarge",
    "a8_v2": "c5.2xlarge",
    "a2m_v2": "r5.large",
    "a4m_v2": "r5.xlarge",
    "a8m_v2": "r5.2xlarge",
    **{
        f"{kind}{number}_v2": size
        for kind in ("d", "ds")
        for number, size in {
            "1": "m5.large",
            "2": "m5.large",
            "3": "m5.xlarge",
            "4": "m5.2xlarge",
            "5": "m5.4xlarge",
            "11": "r5.large",
            "12": "r5.xlarge",
            "13": "r5.2xlarge",
            "14": "r5.4xlarge",
        }.items()
    },
    "b1s": "t3.micro",
    "b1ms": "t3.small",
    "b2s": "t3.medium",
    "b2ms": "t3.large",
    "b4ms": "t3.xlarge",
    "b8ms": "t3.2xlarge",
    # Tesla V100
    "nc6s_v3": "p3.2xlarge",
    "nc12s_v3": "p3.8xlarge",
    "nc24s_v3": "p3.8xlarge",
    "nc24rs_v3": "p3.8xlarge",
    "nd40rs_v2": "p3.16xlarge",
    # T4
    "nc4as_t4_v3": "g4dn.xlarge",
    "nc8as_t4_v3": "g4dn.2xlarge",
    "nc16as_t4_v3": "g4dn.4xlarge",
    "nc64as_t4_v3": "g4dn.12xlarge",
    # A10, where Azure lends parts of one
    "nv6ads_a10_v5": "g5.2xlarge",
    "nv12ads_a10_v5": "g5.4xlarge",
    "nv18ads_a10_v5": "g5.4xlarge",
    "nv36ads_a10_v5": "g5.8xlarge",
    "nv36adms_a10_v5": "g5.16xlarge",
    # eight A100, of 40 and of 80 GB, and eight H100
    "nd96asr_v4": "p4d.24xlarge",
    "nd96amsr_a100_v4": "p4de.24xlarge",
    "nd96isr_h100_v5": "p5.48xlarge",
}


def _sizes() -> Iterator[tuple[str, tuple[str, ...]]]:
    for names, families in _FAMILIES:
        for name in names.split():
            start, numbers, end = re.split(r"[{}]", name)
            for cpus in numbers.split(","):
                sizes = tuple(f"{family}.{_BY_CPUS[int(cpus)]}" for family in families.split())
                yield f"standard_{start}{cpus}{end}", sizes
    for name, size in _SINGLE.items():
        yield f"standard_{name}", (size,)


#: By Azure's name in lower case: EC2's sizes, best first.
SIZES: Mapping[str, tuple[str, ...]] = dict(_sizes())
