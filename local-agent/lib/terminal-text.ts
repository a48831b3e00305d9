/** What a program printed, as a terminal would show it: without colours and other control sequences. */

/**
 * Control sequences: CSI with its parameters, strings such as titles and links, and short ones. A string ends at the next
 * escape or line break, so each character is looked at a bounded number of times. (`stripVTControlCharacters` of Node
 * takes quadratic time.)
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  /\u001b(?:\[[ -?]*[@-~]?|[\]PX^_][^\u001b\u0007\u009c\n]*(?:\u0007|\u009c|\u001b\\)|[ -/]*[0-~]?)|\u009b[ -?]*[@-~]?/g;

/** Control characters but tab, line break and carriage return, which a terminal acts on and does not show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** The last state of a line that was written several times, such as a progress bar. */
function lastState(line: string): string {
  let end = line.length;
  while (line.charAt(end - 1) === '\r') end -= 1;
  return line.slice(line.lastIndexOf('\r', end - 1) + 1, end);
}

/** The text without control sequences; of a line that was written several times the last state is kept. */
export function terminalText(text: string): string {
  const plain = text.replace(SEQUENCE, '').replace(CONTROL, '');
  return plain.includes('\r') ? plain.split('\n').map(lastState).join('\n') : plain;
}
