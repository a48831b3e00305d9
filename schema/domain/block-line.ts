/** Which texts may hold a `baa` block: a cheap first look, before a text is parsed or compared with anything. */

/** A line that may open a fence for `baa`, also in lists and quotes and with another info string. */
export const MAY_OPEN = /^[ \t>*+\-0-9.)]*(?:`{3,}|~{3,})[ \t]*[{.]{0,2}baa/im;

const BYTE_ORDER_MARK = /^\ufeff/;

export function withoutByteOrderMark(text: string): string {
  return text.replace(BYTE_ORDER_MARK, '');
}

/** False: the text has no block, and nothing that was meant as one. */
export function mayHaveBlocks(text: string): boolean {
  return MAY_OPEN.test(withoutByteOrderMark(text));
}
