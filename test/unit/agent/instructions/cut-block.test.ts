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

describe('a here-document that a fence has cut', () => {
  it.each([
    ['<<"E O"', 'E O'],
    ["<< '-- end --'", '-- end --'],
    ['<<\\EOF', 'EOF'],
    ['<<-EOF', '\tEOF'],
  ])('runs nothing, nor what was text in it: %s', (operator, end) => {
    const inner = `print(1)\n\`\`\`\n\n${fenced('@conductor::exec::rm -rf x', '```')}\n${end}`;
    const { runs, errors } = read(`\`\`\`baa\n@conductor::exec::python3 - ${operator}\n${inner}\n`);
    expect(runs).toEqual([]);
    expect(errors).toEqual(['cut_block 1', 'behind_cut_block 6']);
  });

  it('is found although a line of its body, indented, is like its end', () => {
    const script = '@conductor::exec::cat > a.md <<EOF\n  cat <<EOF\n  EOF';
    expect(read(`${fenced(script, '```')}\n\nEOF\n`)).toEqual({ runs: [], errors: ['cut_block 1'] });
  });

  it('may be behind more of them than are looked at, and then the block is an error', () => {
    const script = `@conductor::exec::${'cat <<A\nA\n'.repeat(300)}`;
    expect(read(fenced(script, '```'))).toEqual({ runs: [], errors: ['cut_block 1'] });
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

  it('of another block runs when the end of the JSON is certain', () => {
    const broken = fenced('@conductor::files/write::{"path":"a",}', '```');
    expect(read(`${broken}\n${fenced('@conductor::exec::true', '```')}`).runs).toEqual(['true']);
  });

  it('of another block does not run, since a fence in the JSON may have ended its block', () => {
    const inner = `# Title\n\`\`\`\nnpm test\n\`\`\`\nThen:\n\n${fenced('@conductor::exec::rm -rf x', '```')}`;
    for (const before of ['', '@conductor::status\n']) {
      const { runs, errors } = read(
        fenced(`${before}@conductor::files/write::{"path":"a","content":"${inner}"}`, '```'),
      );
      expect(runs.filter((run) => run === 'rm -rf x')).toEqual([]);
      expect(errors.map((one) => one.split(' ')[0])).toContain('invalid_json');
    }
    const plain = fenced('@conductor::files/write::{"path":"a","content":"# Title', '```');
    expect(read(`${plain}\ntext\n\n${fenced('@conductor::exec::rm -rf x', '```')}`)).toEqual({
      runs: [],
      errors: ['invalid_json 2', 'behind_cut_block 6'],
    });
  });
});

describe('a here-document that goes beyond its instruction', () => {
  const codes = (body: string) => {
    const { runs, errors } = read(fenced(body, '```'));
    return { runs, errors: errors.map((one) => one.split(' ')[0]) };
  };
  const nothing = { runs: [], errors: ['open_here_document', 'behind_here_document'] };

  it.each([
    ['EOF', 'EOF'],
    ["'EOF'", 'EOF'],
    ['"E O"', 'E O'],
    ["'! end'", '! end'],
    ['\\EOF', 'EOF'],
    ['-EOF', '\tEOF'],
    ['!', '!'],
    ["E'O'F", 'EOF'],
  ])('runs neither its instruction nor what follows in the block: <<%s', (operator, end) => {
    expect(codes(`@conductor::exec::cat > a <<${operator}\nuse it so:\n@conductor::exec::rm -rf x\n${end}`)).toEqual(
      nothing,
    );
  });

  it('is an error that names its end and what helps', () => {
    const text = fenced('@conductor::exec::cat > a <<EOF\n@conductor::exec::rm -rf x\nEOF', '```');
    const [error] = readMessage(text).errors;
    expect(error).toMatchObject({ line: 2, stage: 'parse' });
    expect(error?.message).toMatch(/"EOF".*files\/write/);
  });

  it.each([
    ['has no end at all', 'cat > a <<EOF'],
    ['ends only with an indentation', 'cat > a <<EOF\n  cat <<EOF\n  EOF'],
    ['is the second of its line', 'cat <<A - <<B\nA'],
    ['follows a shift', 'echo $((1 << 2)); cat <<EOF'],
    ['follows quotes on its line', "echo 'a << b'; cat <<EOF"],
    ['follows a comment sign inside a word', 'echo a#b <<EOF'],
    ['follows an escaped blank and a comment sign', 'echo \\ # <<EOF'],
    ['has a delimiter of other characters than letters', 'cat <<!'],
    ['is of a descriptor that a digit names', 'cat 0<<EOF'],
    ['ends only with a part of its delimiter', 'cat <<EOF$(x)\nEOF'],
    ['follows a line that continues', 'echo a\\\n#b <<EOF'],
    ['is in quotes that end on a later line', "sh -c 'cat <<EOF\nx'"],
    ['is behind quotes that an earlier line opened', "echo 'it\ncat' <<EOF '"],
    ['is a command in double quotes', 'echo "$(cat <<EOF)"'],
    ['is a command in older substitution', 'echo `cat <<EOF`'],
    ['is behind quotes that shells read differently', "echo $'it\\'s' <<EOF '"],
    ['is behind an escaped quote', "echo \\' <<EOF \\'"],
  ])('stops the rest of the block when it %s', (_what, script) => {
    expect(codes(`@conductor::exec::${script}\n@conductor::exec::rm -rf x`)).toEqual(nothing);
  });

  it('stops the blocks behind when its end is not in the block', () => {
    const open = fenced('@conductor::exec::cat > a <<EOF\n@conductor::status', '```');
    expect(read(`${open}\n${fenced('@conductor::exec::true', '```')}`).runs).toEqual([]);
  });

  it.each([
    ['ends in its instruction', '@conductor::exec::cat > a <<EOF\nx\nEOF'],
    ['ends there behind white space', '@conductor::exec::cat > a <<EOF\nx\nEOF  '],
    ['holds operators of another language', '@conductor::exec::cat > a.cc <<EOF\ncout << "a" << endl;\nEOF'],
    ['is a shift in arithmetic', '@conductor::exec::echo $(( 1 << n ))'],
    ['is a shift in single quotes', "@conductor::exec::python3 -c 'print(a << b)'"],
    ['is a shift in double quotes', '@conductor::exec::awk "BEGIN { print a << b }" && node -e \'x << y; "z << z"\''],
    ['is a shift in quotes on a later line', "@conductor::exec::cd /tmp\necho it\\'s\npython3 -c 'print(a << b)'"],
    [
      'is a shift in quotes behind a here-document',
      "@conductor::exec::cat <<EOF\nit's\nEOF\npython3 -c 'print(a << b)'",
    ],
    ['is the script of another shell, which ends with it', "@conductor::exec::ssh host 'cat <<EOF'"],
    ['is in a comment', "@conductor::exec::true # it's a << b"],
    ['is escaped', '@conductor::exec::expr a \\<\\< b \\<<c'],
    ['is an operator in a text that is no script', '@conductor::files/search::cout << endl'],
    ['is in a JSON string', '@conductor::exec::{"command":"cat <<EOF\\nx"}'],
  ])('stops nothing when it %s', (_what, first) => {
    const { runs, errors } = codes(`${first}\n@conductor::exec::true`);
    expect(errors).toEqual([]);
    expect(runs[1]).toBe('true');
  });

  it('stops what follows in quotes of a text that is no script', () => {
    const prompt = "@browser.claude::send::It's so: cat <<EOF isn't\n@conductor::exec::rm -rf x\nEOF";
    expect(codes(prompt)).toEqual(nothing);
  });

  it('stops what follows in any text when a later instruction holds its end', () => {
    const prompt = '@browser.claude::send::Explain: cat <<EOF\n@conductor::exec::rm -rf x\nEOF';
    expect(codes(prompt)).toEqual(nothing);
  });
});
