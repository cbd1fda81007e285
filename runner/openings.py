"""What a node is told when it is connected. Pure."""

from __future__ import annotations

from pools import ConnectNode, Context, Node

from .commands import OpenNode
from .core_settings import CoreSettings
from .execution import Executions
from .user_identity import node_users


def opening(ctx: Context, own: CoreSettings, executions: Executions, node: Node, command: ConnectNode) -> OpenNode:
    pool, settings = ctx.pools[node.pool_id], ctx.settings
    profile = settings.profile(pool.provider)
    return OpenNode(
        node.id,
        command.vm,
        command.number,
        command.slots,
        executions.node_environment(node),
        settings.sample_period,
        pool.provider,
        profile.notices if node.low_priority else None,
        node_users(pool.spec, own.auto_user_scope, profile.pool_user),
        own.task_grace,
    )
