"""Security groups as a host's packet filter: who may open a connection to it.

A rule that lets in the members of a group must hold for members that come later. So a host carries the groups it is in
as bits of its hardware address, and rules look at those: no host's rules change when another one comes or goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

#: So many bits there are: a rig with hosts lets no more groups be made.
MOST_GROUPS = 24


class Groups:
    def __init__(self, exists: Callable[[str], bool], always: Sequence[str] = ()) -> None:
        """`exists`: is there a group of that id? `always`: addresses that are let in everywhere, whatever the groups
        say."""
        self._exists = exists
        self._always = always
        self._bits: dict[str, int] = {}

    def bits_of(self, instance: Any) -> int:
        return sum(1 << self._bit(group.id) for group in instance.nics[0].group_set)

    def rules(self, instance: Any) -> str:
        """For nft -f; replaces those that are there."""
        lines = ['iif "lo" accept', "ct state established,related accept"]
        lines += [f"ip saddr {address} accept" for address in self._always]
        for group in instance.nics[0].group_set:
            for rule in group.ingress_rules:
                lines += self._rule(rule)
        body = "\n    ".join(dict.fromkeys(lines))
        return (
            "table inet rig {}\ndelete table inet rig\ntable inet rig {\n  chain in {\n"
            f"    type filter hook input priority 0; policy drop;\n    {body}\n  }}\n}}\n"
        )

    def _rule(self, rule: Any) -> list[str]:
        matches = _protocol(str(rule.ip_protocol), rule.from_port, rule.to_port)
        source = rule.ip_range or {}
        froms = []
        if source.get("CidrIp"):
            froms.append(f"ip saddr {source['CidrIp']}")
        group = (rule.source_group or {}).get("GroupId")
        if group and self._exists(group):
            bits = 1 << self._bit(group)
            mac = ":".join(f"{part:02x}" for part in (0, bits >> 16 & 255, bits >> 8 & 255, bits & 255, 0, 0))
            froms.append(f"ether saddr & {mac} == {mac}")
        return [f"{source} {match} accept".replace("  ", " ") for source in froms for match in matches]

    def _bit(self, group: str) -> int:
        if group not in self._bits:
            self._bits = {known: bit for known, bit in self._bits.items() if self._exists(known)}
            self._bits[group] = next(bit for bit in range(MOST_GROUPS) if bit not in self._bits.values())
        return self._bits[group]


def _protocol(name: str, first: Any, last: Any) -> list[str]:
    if name == "-1":
        return [""]
    if name in ("icmp", "1"):
        return ["meta l4proto icmp"]
    named = {"6": "tcp", "17": "udp"}.get(name, name)
    if named not in ("tcp", "udp"):
        return [f"meta l4proto {named}"]
    if first is None or int(first) < 0:
        return [f"meta l4proto {named}"]
    return [f"{named} dport {int(first)}-{int(last)}" if int(last) > int(first) else f"{named} dport {int(first)}"]
