/** The address that shows the object of an id: its page, or its place in a list. */

const BY_PREFIX: Readonly<Record<string, string>> = {
  lc: '/conversations/',
  msg: '/messages/',
  ins: '/instructions/',
  job: '/renewals/',
  task: '/tasks/',
  run: '/runs/',
  tok: '/tokens#',
  grant: '/grants#',
};
const ID = /\b([a-z]{2,5})_[0-9a-z]{26}\b/;

/** Finds the id also inside other text, such as a line of a log; null when there is none that has a page. */
export function addressOfId(text: string): string | null {
  const [id, prefix = ''] = ID.exec(text.trim()) ?? [];
  const path = BY_PREFIX[prefix];
  return id === undefined || path === undefined ? null : `${path}${id}`;
}
