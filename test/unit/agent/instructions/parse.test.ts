import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { capErrors, parseBlocks } from '../../../../local-agent/instructions/parse.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import { TOOL_NAMES } from '../../../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';

const inBlock = (body: string) => readMessage(`\`\`\`baa\n${body}\n\`\`\``);

describe('docs/instructions.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../../docs/instructions.md', import.meta.url)), 'utf8');
  const fences = fromMarkdown(page).children.filter((node) => node.type === 'code');
  const examples = fences.flatMap((node, i) => {
    const next = fences[i + 1];
    return node.lang === 'markdown' && next?.lang === 'json' ? [[node.value, JSON.parse(next.value)] as const] : [];
  });

  it('has examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('is right about\n%s', (message, expected) => {
    const { instructions, errors } = readMessage(message);
    expect({
      instructions: instructions.map(({ index, name, params }) => ({ index, name, params })),
      errors: errors.map(({ block_index, stage, code, line }) => ({ block_index, stage, code, line })),
    }).toEqual(expected);
  });
});

describe('limits', () => {
  it(`takes ${INSTRUCTION.max_per_message} instructions and reports those after them once`, () => {
    const { instructions, errors } = inBlock('@conductor::status\n'.repeat(INSTRUCTION.max_per_message + 2));
    expect(instructions).toHaveLength(INSTRUCTION.max_per_message);
    expect(errors).toMatchObject([{ stage: 'extract', code: 'too_many_instructions', line: 34 }]);
  });

  it('reports a block over its size and goes on with the next', () => {
    const big = `@conductor::exec::${'x'.repeat(INSTRUCTION.max_block_bytes)}`;
    const { instructions, errors } = readMessage(`\`\`\`baa\n${big}\n\`\`\`\n\`\`\`baa\n@conductor::status\n\`\`\``);
    expect(instructions).toMatchObject([{ block_index: 1, name: 'conductor::status' }]);
    expect(errors).toMatchObject([{ block_index: 0, stage: 'extract', code: 'block_too_large', line: 1 }]);
  });

  it('measures the depth of JSON outside of its strings', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(inBlock(`@conductor::status::${nested(33)}`).errors).toMatchObject([{ code: 'json_too_deep' }]);
    expect(inBlock(`@conductor::status::${nested(32)}`).errors).toMatchObject([{ code: 'invalid_params' }]);
    const text = JSON.stringify({ command: `"${'{'.repeat(50)}\\` });
    expect(inBlock(`@conductor::exec::${text}`).errors).toEqual([]);
  });

  it('reports as many errors as a message may carry, and says that there are more', () => {
    const { errors } = readMessage('```baa\n```\n'.repeat(100));
    const capped = capErrors(errors);
    expect(capped).toHaveLength(64);
    expect(capped.at(-1)).toMatchObject({ code: 'too_many_errors', message: '37 more errors are left out' });
  });
});

describe('params', { timeout: 120_000 }, () => {
  it('refuses half a surrogate pair, which nothing after it could store', () => {
    expect(inBlock('@conductor::exec::{"command":"\\ud800"}').errors).toMatchObject([{ code: 'invalid_unicode' }]);
  });

  it('names the field that does not fit', () => {
    const { errors } = inBlock('@conductor::files/read::{"path":"a","ofset":1}');
    expect(errors[0]?.message).toContain('ofset');
  });

  it('keeps the index of an instruction whatever is wrong with those before it', () => {
    expect(inBlock('@conductor::fly\n@conductor::exec::{\n@conductor::status').instructions).toMatchObject([
      { index: 2, name: 'conductor::status' },
    ]);
  });

  it('takes any JSON object back as it was written, for any tool', () => {
    const body = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...TOOL_NAMES), body, fc.constantFrom(undefined, 2), (name, value, indent) => {
        fc.pre(JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(value)));
        const text = `\`\`\`baa\n@${name}::${JSON.stringify(value, null, indent)}\n\`\`\``;
        expect(parseBlocks(extractBlocks(text).blocks).instructions).toMatchObject([
          { params: { kind: 'json', value: JSON.parse(JSON.stringify(value)) } },
        ]);
      }),
    );
  });

  it('never throws, whatever a block holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), (lines) => {
        inBlock(lines.map((line, i) => (i % 2 ? line : `@conductor::exec::${line}`)).join('\n'));
      }),
    );
  });
});
