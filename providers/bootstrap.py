"""What a VM runs at its first boot, before anybody connects: the one script that makes it one of ours.

It puts the pinned host key in place, lets in the deployment's key for the user that we log in as, starts the dead-man
timer, and then runs the script that its user may have given. Cloud images run it as root: cloud-init where there is
one, a start-up script on Google.
"""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass

#: The file in the node root whose change tells the dead-man timer that a controller has spoken to the node.
HEARD_FILE = ".ebbtide/heard"
#: Clouds take no more user data than this (EC2: 16 KiB; the others more).
LARGEST = 16 * 1024
#: Seconds between two looks of the dead-man timer.
_LOOK = 10


@dataclass(frozen=True)
class Bootstrap:
    """`dead_man`: seconds without a word from a controller after which the VM powers itself off; None: never."""

    user: str
    public_key: str
    host_key: str | None  # private, OpenSSH form; None: the image's own
    node_root: str
    dead_man: float | None
    user_data: str | None = None

    def script(self) -> str:
        """The script. Raises ValueError if it is longer than clouds take, or `user_data` is no script."""
        parts = ["#!/bin/sh", "# Written by ebbtide: makes this machine a node.", "umask 022"]
        parts += [_host_key(self.host_key)] if self.host_key is not None else []
        parts += [_user(self.user, self.public_key, self.node_root)]
        parts += [_dead_man(self.node_root, self.dead_man)] if self.dead_man is not None else []
        parts += [_own(self.user_data)] if self.user_data is not None else []
        script = "\n".join(parts) + "\n"
        if len(script.encode()) > LARGEST:
            raise ValueError(f"the user data is too long: with ours {len(script.encode())} bytes, at most {LARGEST}")
        return script


def _host_key(private: str) -> str:
    """sshd forks a child for each connection, which reads its keys anew after the reload."""
    return f"""\
mkdir -p /etc/ssh
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
(umask 077; cat > /etc/ssh/ssh_host_ed25519_key) <<'EBBTIDE'
{private.strip()}
EBBTIDE
ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key > /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null
[ -e /etc/cloud/cloud.cfg.d ] && echo 'ssh_deletekeys: false' > /etc/cloud/cloud.cfg.d/99-ebbtide.cfg
if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
  systemctl restart ssh 2>/dev/null || systemctl restart sshd 2>/dev/null
elif [ -e /run/sshd.pid ]; then kill -HUP "$(cat /run/sshd.pid)"
fi"""


def _user(user: str, public_key: str, node_root: str) -> str:
    name, root = shlex.quote(user), shlex.quote(node_root)
    return f"""\
home=$(getent passwd {name} 2>/dev/null | cut -d: -f6)
[ -n "$home" ] || home=$(awk -F: -v u={name} '$1 == u {{print $6}}' /etc/passwd)
if [ -z "$home" ]; then useradd -m -s /bin/sh {name} 2>/dev/null || adduser -D -s /bin/sh {name}; home=/home/{user}; fi
mkdir -p "$home/.ssh"
grep -qsF {shlex.quote(public_key)} "$home/.ssh/authorized_keys" || \\
  echo {shlex.quote(public_key)} >> "$home/.ssh/authorized_keys"
chmod 700 "$home/.ssh"; chmod 600 "$home/.ssh/authorized_keys"
mkdir -p {root}
chown {name} "$home/.ssh" "$home/.ssh/authorized_keys" {root}"""


def _dead_man(node_root: str, seconds: float) -> str:
    """Counts by the kernel's uptime, which no change of the clock disturbs. A write to the file starts it anew.

    Never by sysrq or the like: `poweroff` ends this machine and no other, also where the machine is a container.
    """
    heard = shlex.quote(f"{node_root}/{HEARD_FILE}")
    return f"""\
cat > /usr/local/sbin/ebbtide-dead-man <<'EBBTIDE'
#!/bin/sh
up() {{ cut -d. -f1 /proc/uptime; }}
seen=; since=$(up)
while sleep {_LOOK if seconds > 2 * _LOOK else max(1, int(seconds / 2))}; do
  now=$(stat -c %Y.%s {heard} 2>/dev/null || echo none)
  if [ "$now" != "$seen" ]; then seen=$now; since=$(up)
  elif [ $(($(up) - since)) -ge {max(1, int(seconds))} ]; then
    echo "ebbtide: no controller has spoken to this node for {int(seconds)} s, powering off" > /dev/console 2>/dev/null
    poweroff 2>/dev/null || shutdown -P now 2>/dev/null || poweroff -f
    sleep 60
  fi
done
EBBTIDE
chmod 755 /usr/local/sbin/ebbtide-dead-man
if command -v systemd-run >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
  systemd-run --unit=ebbtide-dead-man --property=Restart=always /usr/local/sbin/ebbtide-dead-man
else setsid /usr/local/sbin/ebbtide-dead-man </dev/null >/dev/null 2>&1 &
fi"""


def _own(user_data: str) -> str:
    if not user_data.startswith("#!"):
        raise ValueError("userData must be a script that begins with #!")
    packed = base64.b64encode(user_data.encode()).decode()
    return f"""\
echo {packed} | base64 -d > /var/tmp/ebbtide-user-data && chmod 700 /var/tmp/ebbtide-user-data
/var/tmp/ebbtide-user-data"""
