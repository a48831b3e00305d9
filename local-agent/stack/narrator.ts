/** Prints the chapters of a demo: a number, a title, and the evidence below it. */
import { styleText } from 'node:util';

export function createNarrator(print: (line: string) => void) {
  let number = 0;
  return (title: string, evidence: Record<string, unknown>): void => {
    number += 1;
    print('');
    print(styleText('bold', `${number}. ${title}`));
    for (const [name, value] of Object.entries(evidence)) {
      const text = typeof value === 'string' ? value : Array.isArray(value) ? value.join('\n') : JSON.stringify(value);
      const lines = text.trimEnd().split('\n');
      print(
        lines.length === 1
          ? `   ${name}: ${lines[0]}`
          : [`   ${name}:`, ...lines.map((line) => `     ${line}`)].join('\n'),
      );
    }
  };
}
