"""The lab: what a formula would do with a workload, before anything is paid for.

Scenarios and workloads are pure parts; the simulation itself is the core's, on a virtual clock (`runner.Simulation`).
"""
