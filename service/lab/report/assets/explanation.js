// Why a run decided what it did, statement by statement.

class Explainer {
  constructor(about) {
    this.about = about;
    this.decision = document.getElementById("decision");
    this.place = document.getElementById("explanation");
    this.asked = 0;
    this.clear();
  }

  clear() {
    this.asked++;
    this.tell([element("p", { class: "muted" }, "Choose an autoscale run in the charts.")]);
  }

  /** Of formula `number`, run `picked` of `run`. What comes too late, since another one was asked for, is not shown. */
  async explain(number, run, picked) {
    const asked = ++this.asked, about = this.about.runs[number];
    const at = rowAt(about.explained, picked);
    if (at < 0 || about.explained[at] !== picked) {
      this.tell(this.headOf(run, picked), element("p", { class: "muted" },
        `This page explains ${about.explained.length.toLocaleString("en-US")} of the ` +
        `${run.evaluations.times.length.toLocaleString("en-US")} runs, those first that changed the target. ` +
        "Go on to the next change for one of them."));
      return;
    }
    const { chunk } = this.about;
    const [told, samples] = await Promise.all([
      carried(`why-${number}-${Math.floor(at / chunk)}`), carried(`samples-${number}`),
    ]);
    if (asked === this.asked) this.tell(this.headOf(run, picked), ...this.bodyOf(about, told[at % chunk], samples));
  }

  tell(head, ...body) {
    this.decision.replaceChildren(...head);
    this.place.replaceChildren(...body);
  }

  headOf(run, picked) {
    const { evaluations } = run, time = evaluations.times[picked];
    const [dedicated, lowPriority] = targetsBefore(evaluations, picked);
    const moved = (from, to) => (from === to ? `stays ${to}` : `${from} → ${to}`);
    const row = rowAt(run.data.times, time), { series } = run;
    const target = evaluations.lowPriority.some((value) => value > 0) || evaluations.initialTargets[1] > 0
      ? `Target: dedicated ${moved(dedicated, evaluations.dedicated[picked])}, ` +
        `low-priority ${moved(lowPriority, evaluations.lowPriority[picked])}`
      : `Target ${moved(dedicated, evaluations.dedicated[picked])}`;
    const nodes = evaluations.currentDedicated[picked] + evaluations.currentLowPriority[picked];
    const now = `Nodes in the pool: ${told(nodes)}` +
      (row < 0 ? "" : `; slots wanted: ${told(series.demand[row])}; tasks that wait: ${told(series.queue[row])}`);
    return [
      element("h4", {}, `${toldTime(time)}, run ${picked + 1}`),
      element("p", { class: "decided" }, target),
      element("p", { class: "muted" }, now),
      ...(run.errors[picked] === undefined ? [] : [element("p", { class: "failed" }, `Failed: ${run.errors[picked]}. The target stayed.`)]),
    ];
  }

  bodyOf(about, [, alike, statements, error, warnings], samples) {
    const notes = warnings.map((text) => element("p", {}, `Warning: ${text}`));
    if (!alike) {
      notes.push(element("p", { class: "failed" },
        "Told again from the recorded samples, the formula decides something else than it did: does it draw random numbers?"));
    }
    const list = statements.map((told, number) => this.statement(about.lines[number], told, error, samples));
    return [...notes, element("ol", { class: "statements" }, ...list)];
  }

  statement([line, text], [outcome, value, computed, because, seen], error, samples) {
    const item = element("li", { class: outcome.replace(" ", "-") }, element("code", { title: `line ${line}` }, text));
    item.append(...seen.map((each) => toldSamples(each, samples)));
    for (const each of [computed, ...because]) if (each) item.append(element("div", { class: "because" }, each));
    if (outcome === "") {
      if (value) item.append(element("div", { class: "value" }, `= ${value}`));
    } else if (outcome === "failed") item.append(element("div", { class: "failed value" }, `failed: ${error}`));
    else if (outcome === "stopped") item.append(element("div", { class: "value" }, "stopped: what was assigned so far counts"));
    else item.append(element("div", { class: "because" }, outcome));
    return item;
  }
}
