"""Real VMs on this machine: qemu with a cloud image and a seed for cloud-init; KVM where it works, emulation else."""

from .mapping import open_qemu as open_qemu
