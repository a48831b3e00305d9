import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { parseBlocks } from '../../../../local-agent/instructions/parse.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';
import { TOOL_NAMES } from '../../../../schema/contracts/tools.ts';

describe('the params of an instruction', { timeout: 120_000 }, () => {
  it('any JSON object is read as it was written, for any tool', () => {
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

  it('no content of a block throws an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), (lines) => {
        const body = lines.map((line, i) => (i % 2 ? line : `@conductor::exec::${line}`)).join('\n');
        readMessage(`\`\`\`baa\n${body}\n\`\`\``);
      }),
    );
  });
});
