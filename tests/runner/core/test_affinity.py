"""A task has a node that it would like best."""

from runner.task_spec import AffinityInformation

from .run import ask, completed, job, simulation, task


def test_affinity_is_a_wish():
    sim = simulation(target_dedicated_nodes=2)
    ask(sim, job("j", task("a"), task("b")))
    nodes = {record.last_node_id for record in completed(sim, "a", "b")}
    assert len(nodes) == 2
    liked = max(nodes)
    wish = AffinityInformation(affinity_id=liked)
    ask(sim, job("k", *(task(str(n), affinity_info=wish) for n in range(2))))
    first, second = completed(sim, "0", "1", job_id="k")
    assert {first.last_node_id, second.last_node_id} == nodes
    ask(sim, job("l", task("alone", affinity_info=wish)))
    (alone,) = completed(sim, "alone", job_id="l")
    assert alone.last_node_id == liked
