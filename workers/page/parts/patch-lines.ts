/** What a line of a patch does, as the class of its color. */
export type PatchLine = 'file' | 'hunk' | 'added' | 'removed' | 'kept';

export function kindOfLine(line: string): PatchLine {
  if (
    /^(diff --git |index |--- |\+\+\+ |new file |deleted file |rename |similarity |old mode |new mode |Binary )/.test(
      line,
    )
  )
    return 'file';
  if (line.startsWith('@@')) return 'hunk';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'kept';
}
