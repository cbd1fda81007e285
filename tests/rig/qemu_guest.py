"""What runs inside the test VMs: just enough to boot, to obey a seed as cloud-init does, and to let SSH in."""

#: The kernel's first program, in the RAM disk: devices, network, seed; then the node, on a disk if there is one.
INIT = """\
#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts; mount -t devpts pts /dev/pts
for module in $(cat /modules/order); do insmod "/modules/$module.ko"; done
ip link set lo up; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2
seed=; root=
for disk in /dev/vd?; do
  if [ "$(dd if="$disk" bs=1 skip=32808 count=6 2>/dev/null)" = cidata ]; then seed=$disk; else root=$disk; fi
done
to=
[ -b "$root" ] && mount -t ext4 "$root" /new && to=/new
mkdir -p "$to/var/lib/cloud/seed/nocloud"
mount -t iso9660 -o ro "$seed" /seed && cp /seed/* "$to/var/lib/cloud/seed/nocloud/" && umount /seed
if [ -z "$to" ]; then exec /sbin/node-init; fi
for kernel in proc sys dev; do mount --move /$kernel /new/$kernel; done
exec switch_root /new /sbin/node-init
"""

#: Process 1 of the node. As on cloud images sshd is there first, with the image's own host key, and then the script of
#: the seed runs, which may replace that.
NODE_INIT = """\
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
[ -d /new ] || mount -t tmpfs -o mode=755 run /run
mkdir -p /run/sshd
seed=/var/lib/cloud/seed/nocloud
trap 'exec /bin/busybox poweroff -f' USR2  # how `poweroff` asks process 1
hostname "$(sed -n 's/^local-hostname: //p' $seed/meta-data)"
/usr/sbin/sshd -D &
until [ -s /run/sshd.pid ]; do sleep 0.05; done
chmod 700 $seed/user-data
( $seed/user-data > /var/log/cloud-init-output.log 2>&1; echo "user data ended: $?" > /dev/console ) &
while :; do wait; sleep 1; done
"""

POWEROFF = "#!/bin/sh\nexec /bin/busybox poweroff -f\n"

SSHD_CONFIG = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
Subsystem sftp /usr/lib/openssh/sftp-server
"""

ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\nsshd:!:19000:0:99999:7:::\n",
    "etc/shells": "/bin/sh\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
}
