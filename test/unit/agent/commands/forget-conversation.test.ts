import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { ForgetState } from '../../../../schema/contracts/forget.ts';
import { NOTHING_FORGOTTEN } from '../../../../schema/contracts/forget.ts';
import { RENEWAL_SETTINGS } from '../../../../schema/defaults.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instantClock } from '../../../support/test-clock.ts';

const ID = 'lc_1';
const DETAIL = {
  local_conversation_id: ID,
  platform: 'claude',
  remote_conversation_id: 'r',
  automation_status: 'manual',
  last_non_paused_automation_status: 'manual',
  pause_reason: null,
  paused_at: null,
  title: null,
  last_message_id: null,
  last_message_at: null,
  created_at: 1,
  updated_at: 1,
  active_link: null,
  limits: RENEWAL_SETTINGS,
  counters: {
    renewals_in_row: 0,
    renewals_without_effect: 0,
    repeated_renewals: 0,
    renewals_today: 0,
    cooldown_until: null,
  },
  next_renewal: { due: false, at: null, reason: 'automation_manual' },
};
const at = (state: ForgetState['state'], messages = 0): ForgetState => ({
  state,
  before: 5,
  removed: { ...NOTHING_FORGOTTEN, messages },
});

/** An edge that has forgotten after so many looks, and a clock whose every wait is over at once. */
function world(looks: number, answer?: boolean) {
  let seen = 0;
  const respond = ({ method }: CommandCall) => {
    if (method === 'POST') return at('forgetting');
    seen += 1;
    return { ...DETAIL, forget: seen >= looks ? at('forgotten', 45) : at('forgetting', 20) };
  };
  const asked: string[] = [];
  const never = () => Promise.reject(new Error('no such question was expected'));
  const confirm = async (question: string) => asked.push(question) > 0 && answer === true;
  const prompts = answer === undefined ? null : { text: never, secret: never, choose: never, confirm };
  const made = commandWorld(respond, { clock: instantClock(), prompts });
  return { ...made, asked, run: (...argv: string[]) => runCli(['conversations', 'forget', ID, ...argv], made.deps) };
}

describe('conductor conversations forget', () => {
  it('asks a person on a terminal first, and changes nothing when they say no', async () => {
    const refused = world(1, false);
    expect(await refused.run()).toBe(1);
    expect(refused.calls).toEqual([]);
    const wanted = world(1, true);
    expect(await wanted.run()).toBe(0);
    expect(wanted.asked[0]).toContain(ID);
  });

  it('is refused without a terminal unless --yes says so', async () => {
    const refused = world(1);
    expect(await refused.run()).toBe(1);
    expect(refused.calls).toEqual([]);
    expect(refused.stderr()).toContain(`conversations forget ${ID} --yes`);
    expect(await world(1).run('--yes')).toBe(0);
  });

  it('follows until the edge has removed everything, and says what is gone', async () => {
    const { run, calls, out } = world(3);
    expect(await run('--yes')).toBe(0);
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET']);
    expect(out).toEqual([`${ID} is forgotten; removed in all: 45 messages`]);
  });

  it('leaves a large conversation to the edge after a minute, and says how to look', async () => {
    const { run, calls, stderr, out } = world(1_000);
    expect(await run('--yes', '--json')).toBe(0);
    expect(calls.length).toBeLessThan(70);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ local_conversation_id: ID, state: 'forgetting' });
    expect(stderr()).toContain(`conversations show ${ID}`);
  });
});
