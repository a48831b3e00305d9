/** `npm run demo`: starts a system in a temporary folder, plays a conversation against it and prints the evidence. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, styleText } from 'node:util';
import { z } from 'zod';
import { callName } from '../../schema/contracts/tools.ts';
import { BridgeClient } from './bridge-client.ts';
import * as story from './demo-story.ts';
import { EdgeApi, eventually } from './edge-api.ts';
import { REPOSITORY } from './layout.ts';
import { createNarrator } from './narrator.ts';
import type { Stack } from './stack.ts';
import { startStack } from './stack.ts';

const run = promisify(execFile);
const NODE_ID = 'demo-main';

/** The evidence of all chapters; the end-to-end test asserts on it. */
export type Evidence = Awaited<ReturnType<typeof playDemo>>;

export async function playDemo(print: (line: string) => void) {
  const root = mkdtempSync(join(tmpdir(), 'conductor-demo-'));
  writeFileSync(join(root, 'policy.json'), JSON.stringify(story.DEMO_POLICY, null, 2), { mode: 0o600 });
  const stack = await startStack(
    {
      root,
      port: 0,
      agentPort: 0,
      nodeId: NODE_ID,
      host: 'localhost',
      agent: true,
      vars: { BAA_TIMED_JOBS_SETTLE_DELAY_MS: '500' },
    },
    (line) => print(styleText('dim', line)),
  );
  try {
    return await play(stack, root, print);
  } finally {
    await stack.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function play(stack: Stack, root: string, print: (line: string) => void) {
  const conductor = createCommandLine(stack);
  const chapter = createNarrator(print);
  const operator = readFileSync(stack.layout.operatorFile, 'utf8').trim();
  const paired = await conductor('pair', '--origin', story.ORIGIN, '--client-id', story.CLIENT_ID, '--json');
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(paired));
  chapter('A browser is paired', { command: `conductor pair --origin ${story.ORIGIN} --client-id ${story.CLIENT_ID}` });
  const scene: story.Scene = {
    client: await connectBrowser(stack, token),
    api: new EdgeApi(stack.edgeUrl, operator),
    workspace: join(root, 'workspace'),
    conductor,
  };
  await story.openTab(scene);

  const first = await story.firstMessage(scene);
  chapter('A message with four blocks: a write, an allowed program, an invalid block, a denied tool', {
    'workspace/hello.txt': first.file,
    journal: first.journal.map(describeInstruction),
    'reply delivered': first.delivered,
  });
  const again = await story.sameMessageAgain(scene);
  chapter('The same message again, after its file was removed: nothing happens', describeRepeat(again));

  await scene.client.close();
  await killEverything(stack, print);
  scene.client = await connectBrowser(stack, token);
  await story.openTab(scene);
  const afterKill = await story.sameMessageAgain(scene);
  chapter(
    'Edge and agent killed with SIGKILL and started again, the same message once more: nothing happens',
    describeRepeat(afterKill),
  );

  const blocked = await story.blockedWhilePaused(scene);
  chapter('A person pauses the system; a message that writes a file is blocked', {
    ingest_status: blocked.message.ingest_status,
    'workspace/blocked.txt written': blocked.written,
    journal: blocked.journal.map(describeInstruction),
  });
  const resumed = await story.resumedFromTheChat(scene);
  chapter('The chat resumes the system with @conductor::system/resume', {
    mode: resumed.system.mode,
    requested_by: resumed.system.requested_by,
    'workspace/blocked.txt written': resumed.written,
  });
  const renewal = await story.renewed(scene, () => stack.cron());
  chapter('The conversation is set to auto; its next message is renewed after the quiet period', {
    'text delivered': renewal.delivered,
    'job before the browser reported the result': renewal.status_before_the_result,
    'job after the result': renewal.job.status,
    'tick log': renewal.stages,
  });
  await scene.client.close();
  return { first, again, afterKill, blocked, resumed, renewal };
}

function connectBrowser(stack: Stack, token: string): Promise<BridgeClient> {
  return BridgeClient.hello({ agentUrl: stack.agentUrl ?? '', origin: story.ORIGIN, clientId: story.CLIENT_ID, token });
}

/** Sends SIGKILL to both process groups at once; resolves when both are healthy again. */
async function killEverything(stack: Stack, print: (line: string) => void): Promise<void> {
  print(styleText('dim', 'kill -9 edge and agent'));
  stack.edge.kill();
  stack.agent?.kill();
  for (const url of [`${stack.edgeUrl}/healthz`, `${stack.agentUrl}/healthz`]) {
    await eventually(`${url} to respond again`, 60_000, async () => {
      const response = await fetch(url).catch(() => null);
      await response?.body?.cancel();
      return response?.ok ? true : null;
    });
  }
}

function createCommandLine(stack: Stack) {
  // Settings of the caller's own system must not lead the demo's commands there.
  const withoutSettings = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BAA_')));
  return async (...args: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, [join(REPOSITORY, 'local-agent', 'cli.ts'), ...args], {
      env: { ...withoutSettings, BAA_ROOT: stack.layout.root },
    });
    return stdout;
  };
}

function describeRepeat(seen: Awaited<ReturnType<typeof story.sameMessageAgain>>): Record<string, unknown> {
  return {
    'instructions in the journal, before and after': `${seen.before}, ${seen.after}`,
    'workspace/hello.txt written again': seen.file_came_back,
  };
}

function describeInstruction(row: {
  target: string;
  tool: string;
  status: string;
  events: { kind: string }[];
}): string {
  return `${callName(row.target, row.tool)} ${row.status}: ${row.events.map(({ kind }) => kind).join(' → ')}`;
}
