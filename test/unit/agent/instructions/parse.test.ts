import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { capErrors } from '../../../../local-agent/instructions/parse.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';

const inBlock = (body: string) => readMessage(`\`\`\`baa\n${body}\n\`\`\``);

describe('docs/instructions.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../../docs/instructions.md', import.meta.url)), 'utf8');
  const fences = fromMarkdown(page).children.filter((node) => node.type === 'code');
  const examples = fences.flatMap((node, i) => {
    const next = fences[i + 1];
    return node.lang === 'markdown' && next?.lang === 'json' ? [[node.value, JSON.parse(next.value)] as const] : [];
  });

  it('the page has examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('the example is read as the page says:\n%s', (message, expected) => {
    const { instructions, errors } = readMessage(message);
    expect({
      instructions: instructions.map(({ index, name, params }) => ({ index, name, params })),
      errors: errors.map(({ block_index, stage, code, line }) => ({ block_index, stage, code, line })),
    }).toEqual(expected);
  });
});

describe('the limits of a message', () => {
  it(`more than ${INSTRUCTION.max_per_message} instructions are left out and reported once`, () => {
    const { instructions, errors } = inBlock('@conductor::status\n'.repeat(INSTRUCTION.max_per_message + 2));
    expect(instructions).toHaveLength(INSTRUCTION.max_per_message);
    expect(errors).toMatchObject([{ stage: 'extract', code: 'too_many_instructions', line: 34 }]);
  });

  it('a block over its size is reported, and the next block is read', () => {
    const big = `@conductor::exec::${'x'.repeat(INSTRUCTION.max_block_bytes)}`;
    const { instructions, errors } = readMessage(`\`\`\`baa\n${big}\n\`\`\`\n\`\`\`baa\n@conductor::status\n\`\`\``);
    expect(instructions).toMatchObject([{ block_index: 1, name: 'conductor::status' }]);
    expect(errors).toMatchObject([{ block_index: 0, stage: 'extract', code: 'block_too_large', line: 1 }]);
  });

  it('the depth of JSON does not count brackets in strings', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(inBlock(`@conductor::status::${nested(33)}`).errors).toMatchObject([{ code: 'json_too_deep' }]);
    expect(inBlock(`@conductor::status::${nested(32)}`).errors).toMatchObject([{ code: 'invalid_params' }]);
    const text = JSON.stringify({ command: `"${'{'.repeat(50)}\\` });
    expect(inBlock(`@conductor::exec::${text}`).errors).toEqual([]);
  });

  it('more errors than a message may carry are left out and counted', () => {
    const { errors } = readMessage('```baa\n```\n'.repeat(100));
    const capped = capErrors(errors);
    expect(capped).toHaveLength(64);
    expect(capped.at(-1)).toMatchObject({ code: 'too_many_errors', message: '37 more errors are left out' });
  });
});

describe('the params of an instruction', () => {
  it('half a surrogate pair, which could not be stored, is refused', () => {
    expect(inBlock('@conductor::exec::{"command":"\\ud800"}').errors).toMatchObject([{ code: 'invalid_unicode' }]);
  });

  it('the error for an unknown field names it', () => {
    const { errors } = inBlock('@conductor::files/read::{"path":"a","ofset":1}');
    expect(errors[0]?.message).toContain('ofset');
  });

  it('an instruction keeps its index when instructions before it have errors', () => {
    expect(inBlock('@conductor::fly\n@conductor::exec::{"argv":}\n@conductor::status').instructions).toMatchObject([
      { index: 2, name: 'conductor::status' },
    ]);
  });
});
