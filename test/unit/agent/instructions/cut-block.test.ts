import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { readMessage } from '../../../../local-agent/instructions/read-message.ts';

/** The commands that would run, and the codes of the errors. */
function read(message: string) {
  const { instructions, errors } = readMessage(message);
  return {
    runs: instructions.map(({ params }) => params.command ?? params),
    errors: errors.map(({ code, line }) => `${code} ${line}`),
  };
}
const SCRIPT = (inner: string) => `@conductor::exec::cat > a.md <<'EOF'\n${inner}\nEOF\nrm -rf build`;
const fenced = (text: string, marks: string) => `${marks}baa\n${text}\n${marks}`;

describe('a block that a fence inside it has cut', () => {
  it.each([
    ['a fence with an info string', SCRIPT('```bash\nnpm test\n```')],
    ['an indented fence with an info string', SCRIPT('  ```bash\n  npm test\n  ```')],
    ['a longer fence with an info string', SCRIPT('````bash\nnpm test\n````')],
    ['a fence without one', SCRIPT('```\nnpm test\n```')],
    ['a fence in a script without a here-document', '@conductor::exec::echo "\n```js\nx\n```\n" | tee a\nrm -rf build'],
  ])('runs nothing, and says so, when it holds %s', (_what, script) => {
    const { runs, errors } = read(fenced(script, '```'));
    expect(runs).toEqual([]);
    expect(errors[0]).toBe('cut_block 1');
  });

  it('runs none of the instructions before the cut either', () => {
    expect(read(fenced(`@conductor::status\n${SCRIPT('```bash\nx\n```')}`, '```')).runs).toEqual([]);
  });

  it('is named with the line that opens the fence, and with what helps', () => {
    const [error] = readMessage(`text\n\n${fenced(SCRIPT('```bash\nx\n```'), '```')}`).errors;
    expect(error?.message).toContain('line 5');
    expect(error?.message).toContain('longer fence');
  });

  it.each(['```bash\nnpm test\n```', '```\nnpm test\n```', '~~~\nx', '````bash\nnpm test\n````'])(
    'runs whole in a fence that is longer, or of the other kind: %j',
    (inner) => {
      for (const marks of ['`````', '~~~~']) {
        expect(read(fenced(SCRIPT(inner), marks))).toEqual({
          runs: [SCRIPT(inner).replace('@conductor::exec::', '')],
          errors: [],
        });
      }
    },
  );

  it('leaves nothing behind it to run, since that may have been text inside it', () => {
    const sample = '```baa\n@conductor::exec::rm -rf /\n```';
    const script = SCRIPT(`\`\`\`bash\nnpm test\n\`\`\`\n\n${sample}\n`);
    const { runs, errors } = read(fenced(script, '```'));
    expect(runs).toEqual([]);
    expect(errors.map((one) => one.split(' ')[0])).toEqual(['cut_block', 'behind_cut_block']);
  });

  it('does not stop the blocks before it', () => {
    const cut = fenced(SCRIPT('```bash\nx\n```'), '```');
    expect(read(`${fenced('@conductor::exec::true', '```')}\n\n${cut}`).runs).toEqual(['true']);
  });
});

describe('a here-document', () => {
  it.each([
    ['that ends in its block', "@conductor::exec::cat <<'EOF'\nx\nEOF", '\nEOF\n'],
    ['that ends in its block with tabs before its delimiter', '@conductor::exec::cat <<-EOF\n\tx\n\tEOF', '\nEOF\n'],
    ['that ends nowhere in the message', '@conductor::exec::cat <<EOF\nx', ''],
    ['that is a here-string', '@conductor::exec::cat <<<EOF', '\nEOF\n'],
    ['that is a shift', '@conductor::exec::echo $((1<<EOF))', '\nEOF\n'],
    ['inside a JSON string', '@conductor::exec::{"command":"cat <<EOF\\nx\\nEOF"}', '\nEOF\n'],
  ])('%s is no sign of a cut', (_what, script, rest) => {
    expect(extractBlocks(`${fenced(script, '```')}\n${rest}`).blocks).toMatchObject([{ problem: null }]);
  });

  it('of the second block is not taken for the one of the first', () => {
    const one = fenced("@conductor::exec::cat <<'EOF'\nx\nEOF", '```');
    expect(read(`${one}\n\n${one}`).errors).toEqual([]);
  });
});

describe('an instruction behind params that are no JSON', () => {
  const behind = (params: string) =>
    read(fenced(`@conductor::files/write::${params}\n@conductor::exec::rm -rf x\n"}`, '```'));

  it.each([
    ['end inside a string', '{"path":"a","content":"line 1'],
    ['end inside an object', '{"path":"a","content":{'],
    ['have a string over several lines', '{"path":"a","content":"line 1\nline 2"}'],
    ['have a quote inside a string', '{"path":"a","content":"say "hello}'],
    ['have another quote inside a string', '{"path":"a","content":"a "b" c"}'],
    ['have strings in single quotes', "{'path':'a','content':'x }'"],
    ['have text behind the object', '{"path":"a"} content: x'],
    ['have a string in three quotes', '{"path":"a","content":"""x}"""}'],
    ['have a template string', '{"path":"a","content":`x}`}'],
  ])('does not run when they %s', (_what, params) => {
    const { runs, errors } = behind(params);
    expect(runs).toEqual([]);
    expect(errors.map((one) => one.split(' ')[0])).toEqual(['invalid_json', 'behind_broken_json']);
  });

  it('runs when they end where their object ends', () => {
    for (const params of ['{"path":"a",}', '{"path":}', '{path:"a"}']) expect(behind(params).runs).toHaveLength(1);
  });

  it('of another block runs', () => {
    const broken = fenced('@conductor::files/write::{"path":"a', '```');
    expect(read(`${broken}\n${fenced('@conductor::exec::true', '```')}`).runs).toEqual(['true']);
  });
});
