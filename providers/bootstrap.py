"""What a VM runs at its first boot, before anybody connects: the one script that makes it one of ours.

It puts the pinned host key in place, starts the dead-man timer, lets in the deployment's key for the user that we log
in as, and then runs the script that its user may have given. Cloud images run it as root: cloud-init where there is
one (in its final stage, when sshd is up already with keys of its own), a start-up script on Google (at each boot).
Needs a POSIX shell and what every image has; no systemd.
"""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

#: The file in the node root whose change tells the dead-man timer that a controller has spoken to the node.
HEARD_FILE = ".ebbtide/heard"
#: Exists while the script runs: nothing is started on the node before that.
BOOTING_FILE = "/run/ebbtide-booting"
#: Clouds take no more user data than this (EC2: 16 KiB; the others more).
LARGEST = 16 * 1024
#: Seconds between two looks of the dead-man timer.
_LOOK = 10
_DEAD_MAN = "/usr/local/sbin/ebbtide-dead-man"
_OWN = "/usr/local/sbin/ebbtide-user-data"
_SUDOERS = "/etc/sudoers.d/90-ebbtide"
#: What useradd takes.
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")


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
        """The script. Raises ValueError if it is longer than clouds take, `user_data` is no script, or a value cannot
        be what it should be."""
        if not _USER.fullmatch(self.user):
            raise ValueError(f"sshUser {self.user!r} is no name that a user can have")
        if not re.fullmatch(r"/[^\0-\x1f\x7f]+", self.node_root):
            raise ValueError(f"nodeRoot {self.node_root!r} is no absolute path of printable characters")
        if len(self.public_key.split()) < 2 or len(self.public_key.splitlines()) != 1:
            raise ValueError('the public key is not of the form "type base64 [comment]"')
        parts = ["#!/bin/sh", "# Written by ebbtide: makes this machine a node.", "umask 022", _BEGIN]
        parts += [_host_key(self.host_key)] if self.host_key is not None else []
        parts += [_dead_man(self.node_root, self.dead_man)] if self.dead_man is not None else []
        parts += [_SHOW_HOST_KEY] if self.host_key is not None else []
        parts += [_user(self.user, self.public_key, self.node_root)]
        parts += [_own(self.user_data) if self.user_data is not None else "true"]
        script = "\n".join(parts) + "\n"
        if len(script.encode()) > LARGEST:
            raise ValueError(
                f"the user data is too long: with ours {len(script.encode())} bytes, at most {LARGEST}; let it fetch "
                "the rest, or use the pool's start task"
            )
        return script


#: Says that this machine is a node and nothing else: who may use sudo there becomes root, and users are made.
MACHINE_FILE = "/etc/ebbtide-node"

_BEGIN = f"""\
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
: > {BOOTING_FILE}; trap 'rm -f {BOOTING_FILE}' EXIT
: > {MACHINE_FILE}
systemd() {{ [ -d /run/systemd/system ]; }}
label() {{ ! command -v restorecon >/dev/null 2>&1 || restorecon -R "$@"; }}
[ -d /usr/local/sbin ] || mkdir -p /usr/local/sbin"""


def _written(text: str, path: str) -> str:
    """Whatever is in the text, it ends up in the file and nowhere else."""
    return f"printf '%s\\n' {shlex.quote(text.strip())} > {path}"


def dead_man_script(heard: str, seconds: float) -> str:
    """Counts by the kernel's uptime, which no change of the clock disturbs. A write to the file starts it anew.

    Never by sysrq or the like: `poweroff` ends this machine and no other, also where the machine is a container.
    Nothing that could hang (a console that nobody reads, a dead init) is waited for.
    """
    return f"""\
#!/bin/sh
# Powers this machine off when no controller has spoken to it for {max(1, int(seconds))} s.
{{ echo -1000 > /proc/self/oom_score_adj; }} 2>/dev/null
up() {{ read -r now rest < /proc/uptime; now=${{now%%.*}}; }}
up; since=$now; seen=
while :; do
  heard=$(stat -c %Y.%s {shlex.quote(heard)} 2>/dev/null); up
  if [ "$heard" != "$seen" ]; then seen=$heard; since=$now
  elif [ $((now - since)) -ge {max(1, int(seconds))} ]; then
    echo "ebbtide: no controller has spoken to this node for $((now - since)) s, powering off" &
    sleep 1  # for that to be read; a console that is full is not waited for
    (poweroff || shutdown -P now) &
    sleep 60; poweroff -f &
    sleep 60
  fi
  sleep {_LOOK if seconds > 2 * _LOOK else max(1, int(seconds / 2))}
done"""


_UNIT = f"""\
[Unit]
Description=Powers this machine off when no ebbtide controller speaks to it
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh {_DEAD_MAN}
StandardOutput=journal+console
Restart=always
RestartSec=10
[Install]
WantedBy=multi-user.target"""


def _dead_man(node_root: str, seconds: float) -> str:
    """Before all that may hang. Enabled by hand, as systemctl would reload all units."""
    unit = "ebbtide-dead-man.service"
    return f"""\
{_written(dead_man_script(f"{node_root}/{HEARD_FILE}", seconds), _DEAD_MAN)}
if systemd; then
  {_written(_UNIT, f"/etc/systemd/system/{unit}")}
  mkdir -p /etc/systemd/system/multi-user.target.wants
  ln -sf ../{unit} /etc/systemd/system/multi-user.target.wants/{unit}
  systemctl --no-block restart {unit}
else
  [ -w /dev/console ] && console=/dev/console || console=/dev/null
  (trap '' HUP; exec sh {_DEAD_MAN} < /dev/null > $console 2>&1) &
fi"""


def _user(user: str, public_key: str, node_root: str) -> str:
    """The deployment's key opens the user's door and no other line with that key does: clouds write one for root that
    only says to log in as somebody else. Ubuntu has a group `admin` and no such user. A password that is locked by `!`
    locks the whole user out where sshd has no PAM."""
    root, key = shlex.quote(node_root), shlex.quote(public_key.strip())
    blob = shlex.quote(public_key.split()[1])
    return f"""\
find_home() {{
  home=
  while IFS=: read -r name x x x x path x; do [ "$name" = {user} ] && home=$path; done < /etc/passwd
  [ -n "$home" ] || home=$(getent passwd {user} 2>/dev/null | cut -d: -f6)
}}
find_home
if [ -z "$home" ]; then
  useradd -m -s /bin/sh {user} 2>/dev/null || useradd -m -g {user} -s /bin/sh {user} 2>/dev/null ||
    adduser -D -s /bin/sh {user}
  sed -i 's/^{user}:!*:/{user}:*:/' /etc/shadow
  find_home
fi
[ -d "$home" ] || {{ mkdir -p "$home"; chown {user} "$home"; }}
mkdir -p "$home/.ssh" {root}
keys=$home/.ssh/authorized_keys
(umask 077; {{ printf '%s\n' {key}; [ ! -e "$keys" ] || grep -vsF {blob} "$keys"; }} > "$keys.new")
chmod 700 "$home/.ssh"
chown {user} "$home/.ssh" "$keys.new" {root}
mv "$keys.new" "$keys"
label "$home/.ssh"
if [ {user} != root ] && [ -d /etc/sudoers.d ]; then
  (umask 227; printf '%s\n' 'Defaults:{user} !requiretty,!use_pty' '{user} ALL=(ALL) NOPASSWD: ALL' > {_SUDOERS})
fi"""


_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


def _host_key(private: str) -> str:
    """First of all: sshd may read it for each connection, and whoever connects before is turned away in vain."""
    try:
        public = serialization.load_ssh_private_key(private.encode(), None).public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("the host key is no private key in OpenSSH form") from exc
    shown = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return f"""\
[ -d /etc/ssh ] || mkdir -p /etc/ssh
umask 077
{_written(private, _HOST_KEY)}
umask 022
{_written(shown, f"{_HOST_KEY}.pub")}"""


#: `try-restart`: where sshd is not up yet, or started by its socket, it finds the key there when it starts.
_SHOW_HOST_KEY = f"""\
for key in /etc/ssh/ssh_host_*_key; do [ "$key" = {_HOST_KEY} ] || rm -f "$key" "$key.pub"; done
chmod 600 {_HOST_KEY}
label /etc/ssh
[ -d /etc/cloud/cloud.cfg.d ] && echo 'ssh_deletekeys: false' > /etc/cloud/cloud.cfg.d/99-ebbtide.cfg
if systemd; then
  systemctl try-restart ssh 2>/dev/null || systemctl try-restart sshd
elif read -r pid 2>/dev/null < /run/sshd.pid && read -r name < "/proc/$pid/comm" && [ "$name" = sshd ]; then
  kill -HUP "$pid"
fi"""


def _own(user_data: str) -> str:
    if not user_data.startswith("#!"):
        raise ValueError("userData must be a script that begins with #!")
    packed = base64.b64encode(user_data.encode()).decode()
    return f"""\
echo {packed} | base64 -d > {_OWN}
chmod 700 {_OWN}
{_OWN}"""
