import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { composeReply, neutralize } from '../../../../local-agent/instructions/reply.ts';
import type { BlockError } from '../../../../schema/contracts/instructions.ts';
import { execution } from './reply-execution.ts';

const PIECES = ['```baa', '~~~baa', '```', '````', '~~~', '\n', '\r', '\r\n', '@a::b', '> ', '- ', '    ', '<!--', 'x'];
const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 }));
const hostileText = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const status = fc.constantFrom('succeeded', 'failed', 'denied', 'blocked', 'interrupted', 'shadowed');
const link = fc.option(fc.oneof(hostileText, fc.constant('https://edge.example/artifact/1')));

describe('the reply to a message', { timeout: 120_000 }, () => {
  it('no output, code, message or link makes an instruction of a reply', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(hostileText, status, hostileText, link), { maxLength: 4 }),
        hostileText,
        (all, text) => {
          const executions = all.map(([output, state, gate, artifact_url], idx) =>
            execution(output, { idx, status: state, gate, name: gate, artifact_url }),
          );
          const error: BlockError = { block_index: 0, stage: 'parse', code: text, message: text, line: 1 };
          expect(extractBlocks(composeReply(executions, [error]))).toEqual({
            blocks: [],
            near_misses: [],
            error: null,
          });
          // The same holds for a page that shows the outputs without the fences around them.
          for (const [output] of all) expect(extractBlocks(neutralize(output)).blocks).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
