"""Local nodes: each VM is a process on this machine that serves SSH on a loopback port, with a directory of
its own.
"""
