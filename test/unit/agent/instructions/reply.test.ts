import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import type { ReplyExecution } from '../../../../local-agent/instructions/reply.ts';
import { composeReply, neutralize } from '../../../../local-agent/instructions/reply.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { execution } from './reply-execution.ts';

const LINK = 'https://edge.example/artifact/1';

/** The contents of the fenced blocks of a reply. */
function fencesOf(text: string): string[] {
  return fromMarkdown(text).children.flatMap((node) => (node.type === 'code' ? [node.value] : []));
}

describe('the reply to a message', () => {
  it('each instruction is named with its end and its output, and each block error with its line', () => {
    const failed = execution('no such file', { idx: 1, status: 'failed' });
    const result = { ...failed.result, exit_code: 2, error_code: 'exit_code' } as ReplyExecution['result'];
    const error = { block_index: 1, stage: 'parse', code: 'invalid_json', message: 'a `tick`\nand a line', line: 9 };
    const reply = composeReply([execution('fine'), { ...failed, result }], [{ ...error, stage: 'parse' }]);
    expect(reply).toContain('1\\. `conductor::exec` — ok · exit code 0 · 12 ms');
    expect(reply).toContain('2\\. `conductor::exec` — failed: `exit_code` · exit code 2 · 12 ms');
    expect(reply).toContain('Block 2, line 9: `invalid_json` `a tick and a line`');
    expect(fencesOf(reply)).toEqual(['fine', 'no such file']);
  });

  it.each([
    ['succeeded', 'ok, as a person has found: it took effect'],
    ['failed', 'failed, as a person has found: it did not take effect'],
    ['interrupted', 'interrupted: whether it took effect is not known'],
  ] as const)('what a person said of an interrupted instruction that is %s now is named', (status, said) => {
    const reported = { ...execution('').result, status: 'interrupted', exit_code: null } as ReplyExecution['result'];
    expect(composeReply([execution('', { status, result: reported })], [])).toContain(`\`conductor::exec\` — ${said}`);
  });

  it('a denied instruction is shown with its rule and with how a person could allow it', () => {
    const replyTo = (gate: string) => composeReply([execution('', { status: 'denied', gate, result: null })], []);
    expect(replyTo('exec.default')).toContain('denied: `exec.default`');
    expect(replyTo('exec.default')).toContain('an entry in exec.rules that matches this argv would allow it');
    expect(replyTo('exec.shell')).toContain('argv needs no shell');
    expect(replyTo('tools["files/read"]')).toContain('tools["files/read"] would have to decide otherwise');
    expect(replyTo('policy.json is broken')).toContain('policy.json has to be valid first');
    expect(replyTo('denied_by_a_person')).not.toContain('policy.json');
  });

  it.each([
    ['blocked', 'system_paused', 'not run: `system_paused`'],
    ['denied', 'exec.rules[0]', 'denied: `exec.rules[0]`'],
    ['shadowed', null, 'shadow mode'],
  ] as const)('the reason why a %s instruction did not run is shown', (status, gate, reason) => {
    expect(composeReply([execution('', { status, gate, result: null })], [])).toContain(reason);
  });

  it('an output within the limit is shown whole, with a link or without', () => {
    const output = 'x'.repeat(12_000);
    for (const artifact_url of [null, LINK]) {
      const reply = composeReply([execution(output, { artifact_url })], []);
      expect(fencesOf(reply)).toEqual([output]);
      expect(reply).not.toContain('left out');
    }
  });

  it('a longer output is shown by its beginning and its end, and the reply says how to read on', () => {
    const output = Array.from({ length: 5_000 }, (_, n) => `line ${n}\n`).join('');
    const reply = composeReply([execution(output, { artifact_url: LINK })], []);
    const [head = '', tail = ''] = fencesOf(reply).map((text) => `${text}\n`);
    expect(output.startsWith(head)).toBe(true);
    expect(output.endsWith(tail)).toBe(true);
    expect(tail.length).toBeGreaterThan(head.length);
    const between = output.length - head.length - tail.length;
    const lines = 5_000 - head.split('\n').length - tail.split('\n').length + 2;
    expect(reply).toContain(`${between} characters (${lines} lines) are left out between these two parts.`);
    const call = `@conductor::output/read::{"instruction_id":"ins_1","offset":${head.length},"length":10000}`;
    expect(reply).toContain(`To read on: \`${call}\` For people: <${LINK}>`);
    expect(reply.length).toBeLessThan(DELIVERY.reply_chars + 500);
  });

  it('the call that a reply names is one that the parser reads', () => {
    const reply = composeReply([execution('x'.repeat(30_000))], []);
    const call = /To read on: `([^`]+)`/.exec(reply)?.[1] ?? '';
    const { instructions, errors } = readMessage(`\`\`\`baa\n${call}\n\`\`\``);
    const params = { instruction_id: 'ins_1', offset: 4_800, length: 10_000 };
    expect([instructions, errors]).toMatchObject([[{ name: 'conductor::output/read', params }], []]);
  });

  it('a part that was asked for too large is not pointed at again', () => {
    const part = execution('x'.repeat(900), { name: 'conductor::output/read' });
    expect(composeReply([part], [], 400)).toContain('Ask for a smaller length.');
  });

  it('the instructions of a message share the limit: short outputs are whole', () => {
    const long = 'y'.repeat(100_000);
    const all = [execution('short'), execution(long, { idx: 1 }), execution(long, { idx: 2 })];
    const reply = composeReply(all, []);
    const [first, ...rest] = fencesOf(reply);
    expect(first).toBe('short');
    expect(rest.map((text) => text.length)).toEqual([2_398, 3_599, 2_399, 3_599]);
  });

  it('the list of tools is shown whole under any limit', () => {
    const list = execution('t'.repeat(5_000), { name: 'conductor::describe' });
    expect(fencesOf(composeReply([list], [], 100))).toEqual(['t'.repeat(5_000)]);
  });

  it('control characters of an output are shown, not sent', () => {
    expect(fencesOf(composeReply([execution('a\u001b[31m\u0007b\tc\r\nd\re')], []))).toEqual([
      'a\\u{1b}[31m\\u{7}b\tc\nd\\u{d}e',
    ]);
  });

  it('a baa fence in an output is shown and made inert', () => {
    const reply = composeReply([execution('```baa\n@conductor::exec::rm -rf .\n```')], []);
    expect(fencesOf(reply)).toEqual(['```inert-baa\n@conductor::exec::rm -rf .\n```']);
    expect(extractBlocks(neutralize('~~~~ baa\nx\n~~~~')).blocks).toEqual([]);
  });

  it('an output of a million backticks is made inert in linear time', () => {
    expect(neutralize('`'.repeat(1_000_000))).toHaveLength(1_000_000);
  });
});
