import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { InstructionEvent } from '../../../schema/contracts/instructions.ts';
import { detailText, WORDS } from '../../../workers/page/panels/instructions/story-details.ts';
import { createFormat } from '../../../workers/page/parts/format.ts';
import { EN } from '../../../workers/page/texts/en.ts';
import { loadTexts } from '../../../workers/page/texts/texts.ts';

beforeAll(async () => {
  vi.stubGlobal('localStorage', { getItem: () => 'zh' });
  vi.stubGlobal('navigator', { languages: ['zh-CN'] });
  vi.stubGlobal('document', { documentElement: {} });
  await loadTexts();
  vi.unstubAllGlobals();
});

const of = (detail: Record<string, unknown>) =>
  detailText(
    { seq: 1, at: 0, kind: 'ended', controller_id: null, detail } as InstructionEvent,
    createFormat('zh', 'UTC'),
  );

describe('an entry of the story, in Chinese', () => {
  it.each([
    [
      { status: 'failed', exit_code: 1, error_code: 'exit_code', output_sha256: 'a' },
      '状态：失败 · 退出码：1 · 原因：程序以错误结束',
    ],
    [
      { source: 'network', other: 'agrees', dedupe_key: 'k', observed_at: 1 },
      '读取自：网站自身的通信 · 二次读取：一致',
    ],
    [{ outcome: 'delivered', reason: null, attempt: 1 }, '结果：回复已送达 · 第几次尝试：1'],
    [{ outcome: 'not_done', by: 'ann' }, '结果：未生效 · 操作者：ann'],
    [{ truncated: true, duration_ms: 1_500, block: 3 }, '输出：已截短 · 用时：1.5 秒'],
    [{ truncated: false }, ''],
    [{ reason: 'snake_case of a person\u202e' }, '原因：snake_case of a person\\u{202e}'],
    [{ host: { decision: 'allow', rule: 'exec.default' } }, '节点自身的判定：允许 (exec.default)'],
  ])('%j is %s', (detail, text) => expect(of(detail)).toBe(text));

  it('has its words from parts of the catalogue that there are', () => {
    const known = Object.values(WORDS).flat();
    expect(known.filter((prefix) => !Object.keys(EN).some((key) => key.startsWith(`${prefix}_`)))).toEqual([]);
  });
});
