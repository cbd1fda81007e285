"""A run whose state has nodes, when a cloud of its workload cannot be reached."""

import json
import threading

from .stage import PATIENCE, SLOW


def test_a_run_that_has_nodes_says_so_and_goes_on(stage, tmp_path):
    go = tmp_path / "go"
    run = stage.start(workload=SLOW % go)
    stage.until_running()
    run.kill()
    run.wait()
    aws = {"driver": "ec2", "region": "us-east-1", "accessKeyId": "k", "secretAccessKey": "s", "image": "ami-01"}
    settings = tmp_path / "settings.yaml"
    settings.write_text(json.dumps({"providers": {"aws": {**aws, "endpoint": "http://127.0.0.1:9"}}}))
    other = '- {id: q, vmSize: t3.small, metadata: [{name: provider, value: aws}]}\njobs:'
    run = stage.start("--json", "--config", str(settings), workload=(SLOW % go).replace("jobs:", other))
    alarm = threading.Timer(PATIENCE, run.kill)
    alarm.start()
    try:
        told = b"pool q cannot get nodes from provider aws: Could not connect to the endpoint"
        assert any(told in line for line in run.stderr)
        go.touch()
        out, _ = run.communicate(timeout=PATIENCE)
        assert [task["result"] for task in json.loads(out)["tasks"]] == ["success", "success"]
    finally:
        alarm.cancel()
        (stage.state / "providers.json").unlink()  # who ends what is left need not ask there
