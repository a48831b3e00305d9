/** The report of a task's end into the chat that created it. */
import type { TaskStatus } from '../contracts/tasks.ts';
import { cutText } from './cut-text.ts';

const MAX_SUMMARY_CHARS = 4_000;

interface EndedTask {
  task_id: string;
  title: string;
  status: TaskStatus;
  result_summary: string | null;
  error_code: string | null;
  error_text: string | null;
}

/** In Markdown. What a program wrote is quoted line by line, so that nothing in it is an instruction. */
export function taskNoticeText({ task_id, title, status, result_summary, error_code, error_text }: EndedTask): string {
  const why = [error_code, error_text].filter((part) => part !== null && part !== '').join(': ');
  const parts = [
    `Task \`${task_id}\` is ${status}: ${oneLine(title)}`,
    ...(why === '' ? [] : [quoted(why)]),
    ...(result_summary === null || result_summary === '' ? [] : [quoted(result_summary)]),
  ];
  return parts.join('\n\n');
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('`', "'");

function quoted(text: string): string {
  return cutText(text, MAX_SUMMARY_CHARS)
    .split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    .map((line) => `> ${line}`)
    .join('\n');
}
