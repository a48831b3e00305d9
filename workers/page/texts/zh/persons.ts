/** Chinese: what people say and ask for: the end of an interrupted instruction, and forgetting a conversation. */
import type { PERSONS_EN } from '../en/persons.ts';

export const PERSONS_ZH: Record<keyof typeof PERSONS_EN, string> = {
  resolve_question: '它生效了吗？',
  resolve_about: '它被中断了，因此系统不知道它是否已生效。请说明您查明的情况；先说的结论将保留。',
  resolve_check: '要查看其机器上的现状，请在该机器上运行：{command}',
  resolve_note: '依据',
  resolve_note_needed: '必填；会保存在日志中。',
  resolve_done: '已生效',
  resolve_not_done: '未生效',
  resolve_said: '日志已记录您的结论。',
  resolve_means: '之后无法更改。',
  resolution: '人工查明',
  resolution_done: '已生效：{note}（{by}）',
  resolution_not_done: '未生效：{note}（{by}）',
  event_resolved: '有人说明了结果',
};
