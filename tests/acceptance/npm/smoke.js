// A smoke flow with @azure/batch: a pool, a job, tasks, their output, and the end of it all. Prints one line of JSON per
// step, as the flows in Python do.
"use strict";
const { BatchServiceClient, BatchSharedKeyCredentials } = require("@azure/batch");
const assert = require("assert");

const account = process.env.AZURE_BATCH_ACCOUNT;
const endpoint = process.env.AZURE_BATCH_ENDPOINT;
const client = new BatchServiceClient(
  new BatchSharedKeyCredentials(account, process.env.AZURE_BATCH_ACCESS_KEY), endpoint);
const POOL = "npm-pool", JOB = "npm-job";
const image = {
  imageReference: {
    publisher: "canonical", offer: "0001-com-ubuntu-server-jammy", sku: "22_04-lts", version: "latest",
  },
  nodeAgentSKUId: "batch.node.ubuntu 22.04",
};

async function wait(what, ask) {
  const end = Date.now() + 120000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited 120 s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function refused(code, status, ask) {
  try {
    await ask();
  } catch (error) {
    assert.strictEqual(error.statusCode, status, error);
    assert.strictEqual(error.code ?? error.body?.code, code, error);
    return;
  }
  throw new Error(`${code} expected, and there was no refusal`);
}

const steps = {
  async a_pool_is_made_once() {
    const pool = {
      id: POOL, vmSize: "standard_d2s_v3", virtualMachineConfiguration: image, targetDedicatedNodes: 1,
      startTask: { commandLine: "/bin/sh -c 'echo ready'", waitForSuccess: true },
    };
    await client.pool.add(pool);
    await refused("PoolExists", 409, () => client.pool.add(pool));
    const found = await client.pool.get(POOL);
    assert.strictEqual(found.state, "active");
    assert.strictEqual(found.targetDedicatedNodes, 1);
    assert.ok(found.creationTime instanceof Date);
    assert.strictEqual((await client.pool.exists(POOL)).body, true);
  },
  async its_node_comes() {
    const nodes = await wait("an idle node", async () => {
      const found = await client.computeNode.list(POOL);
      return found.length === 1 && found[0].state === "idle" && found;
    });
    const place = await client.computeNode.getRemoteLoginSettings(POOL, nodes[0].id);
    assert.ok(place.remoteLoginPort > 0);
  },
  async tasks_run() {
    await client.job.add({ id: JOB, poolInfo: { poolId: POOL } });
    await client.task.add(JOB, { id: "first", commandLine: "/bin/sh -c 'echo hello from node'" });
    const result = await client.task.addCollection(JOB, [
      { id: "second", commandLine: "/bin/sh -c 'exit 3'" }, { id: "first", commandLine: "true" },
    ]);
    const by = Object.fromEntries(result.value.map((each) => [each.taskId, each]));
    assert.strictEqual(by.second.status.toLowerCase(), "success");
    assert.strictEqual(by.first.error.code, "TaskExists");
    await wait("all tasks", async () => (await client.job.getTaskCounts(JOB)).taskCounts.completed === 2);
    const task = await client.task.get(JOB, "second");
    assert.strictEqual(task.executionInfo.exitCode, 3);
    assert.strictEqual(task.executionInfo.failureInfo.code, "FailureExitCode");
  },
  async lists_are_cut_into_pages() {
    const first = await client.task.list(JOB, { taskListOptions: { maxResults: 1 } });
    assert.strictEqual(first.length, 1);
    const second = await client.task.listNext(first.odatanextLink);
    assert.deepStrictEqual([first[0].id, second[0].id], ["first", "second"]);
    assert.strictEqual(second.odatanextLink, undefined);
    const failed = await client.task.list(JOB, { taskListOptions: { filter: "executionInfo/result eq 'failure'" } });
    assert.deepStrictEqual(failed.map((each) => each.id), ["second"]);
  },
  async output_is_read() {
    const answer = await client.file.getFromTask(JOB, "first", "stdout.txt");
    const pieces = [];
    for await (const piece of answer.readableStreamBody) pieces.push(piece);
    assert.strictEqual(Buffer.concat(pieces).toString(), "hello from node\n");
    const files = await client.file.listFromTask(JOB, "first", { recursive: true });
    assert.ok(files.some((each) => each.name === "stdout.txt"));
  },
  async all_is_deleted() {
    await client.job.terminate(JOB, { terminateReason: "done" });
    await wait("the job is completed", async () => (await client.job.get(JOB)).state === "completed");
    await client.job.deleteMethod(JOB);
    await client.pool.deleteMethod(POOL);
    await wait("no pool", async () => (await client.pool.list()).every((each) => each.id !== POOL));
    await refused("PoolNotFound", 404, () => client.pool.get(POOL));
  },
};

(async () => {
  let failed = false;
  for (const [step, run] of Object.entries(steps)) {
    let failure = null;
    try {
      await run();
    } catch (error) {
      failed = true;
      failure = String(error.stack || error) + (error.body ? JSON.stringify(error.body) : "");
    }
    console.log(JSON.stringify({ step, failure }));
  }
  process.exit(failed ? 1 : 0);
})();
