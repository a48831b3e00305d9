import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import { composeReply } from '../../../../local-agent/instructions/reply.ts';

const STATUS = '@conductor::status';
const inFence = (info: string) => `\`\`\`${info}\n${STATUS}\n\`\`\``;

describe('a fence that was probably meant as a baa block', () => {
  it.each([
    ['another case', inFence('BAA'), 'not_baa'],
    ['more words', inFence('baa json'), 'not_baa'],
    ['a comma', inFence('baa,json'), 'not_baa'],
    ['attributes', inFence('baa {title="x"}'), 'not_baa'],
    ['braces', inFence('{.baa}'), 'not_baa'],
    ['no closing fence', `\`\`\`baa\n${STATUS}`, 'unclosed_block'],
    ['no closing fence and nothing in it', '```baa', 'unclosed_block'],
    ['a closing fence too short', `\`\`\`\`baa\n${STATUS}\n\`\`\``, 'unclosed_block'],
    ['a quote around it', `> ${inFence('baa').replaceAll('\n', '\n> ')}`, 'nested_block'],
    ['a list around it', `1. ${inFence('baa').replaceAll('\n', '\n   ')}`, 'nested_block'],
    ['a list around it, below text', `- run:\n\n  ${inFence('baa').replaceAll('\n', '\n  ')}`, 'nested_block'],
    ['a list around it and no closing fence', `- \`\`\`baa\n  ${STATUS}`, 'nested_block'],
  ])('runs nothing and is an error with a hint: %s', (_what, text, code) => {
    const { instructions, errors } = readMessage(`Hello\n\n${text}`);
    expect(instructions).toEqual([]);
    expect(errors).toMatchObject([{ code, stage: 'extract', block_index: 0 }]);
    expect(errors[0]?.message).toMatch(/^not run: .*(fence|backticks)/);
  });

  it.each(['baab', 'baa-docs', 'baas', 'text baa', 'sheep', ''])('is none with the info string %j', (info) => {
    expect(readMessage(inFence(info))).toEqual({ instructions: [], errors: [] });
  });

  it('leaves the blocks beside it alone, and counts among them', () => {
    const { instructions, errors } = readMessage(`${inFence('BAA')}\n\n${inFence('baa')}`);
    expect(instructions).toMatchObject([{ block_index: 1, name: 'conductor::status' }]);
    expect(errors).toMatchObject([{ block_index: 0, line: 1 }]);
  });

  it('is found in a message that has no baa block', () => {
    expect(extractBlocks(inFence('BAA')).near_misses).toHaveLength(1);
  });
});

describe('our own reply, when an assistant repeats it', () => {
  const errors = readMessage(
    [inFence('BAA'), `> ${inFence('baa').replaceAll('\n', '\n> ')}`, `\`\`\`baa\n${STATUS}`].join('\n\n'),
  ).errors;
  const output = `${inFence('baa')}\n${inFence('BAA')}\n> ${inFence('baa')}`;
  const result = {
    status: 'succeeded',
    output,
    exit_code: 0,
    error_code: null,
    duration_ms: 1,
    truncated: false,
  } as const;
  const execution = {
    instruction_id: 'ins_1',
    idx: 0,
    name: 'conductor::exec',
    status: 'succeeded',
    gate: null,
    result,
    artifact_url: null,
  } as const;
  const reply = composeReply([execution], errors);

  it.each([
    ['as it is', reply],
    ['in a quote', reply.replaceAll(/^/gm, '> ')],
    ['in a list', `- ${reply.replaceAll('\n', '\n  ')}`],
    ['in a fence', `\`\`\`\`\`\`\`text\n${reply}\n\`\`\`\`\`\`\``],
    ['without its fences', reply.replaceAll(/^`{4,}.*$/gm, '')],
  ])('has no block and no near miss in it: %s', (_how, text) => {
    expect(errors).toHaveLength(3);
    expect(readMessage(text)).toEqual({ instructions: [], errors: [] });
  });
});
