"""What is kept of a pool's past goes with its samples."""

import json

from click.testing import CliRunner

from pools import RandomIds
from runner import open_journal
from service.cli import main
from service.state import StateDirectory

from .pasts import FORMULAS, Told, spec


def test_all_of_it_goes(tmp_path):
    directory = StateDirectory(tmp_path / "state")
    directory.create(RandomIds().new)
    journal = open_journal(directory.database_url)
    told = Told(journal)
    told.add(spec(FORMULAS["window"]))
    told.live(1)
    told.pools.delete("p", told.now)
    told.live(0.5)
    past = journal.past
    counts = {
        "samples": len(list(past.samples("p", 0, 1e10))),
        "autoscale_runs": len(list(past.runs("p", 0, 1e10))),
        "planner_passes": len(list(past.passes("p", 0, 1e10))),
    }
    words = ["gc", "--state", str(directory.path), "--json"]
    done = CliRunner().invoke(main, words, env={"EBBTIDE_SAMPLE_RETENTION": "P1D"})
    measured = json.loads(done.stdout)["measured"]
    assert {name: measured[name] for name in counts} == counts
    assert all(counts.values())
    assert [*past.runs("p", 0, 1e10), *past.passes("p", 0, 1e10), *past.samples("p", 0, 1e10)] == []
    journal.close()
