/** The `config.toml` of a restored root, whose state is in its folder `state` wherever it was before. */
import { parse } from 'smol-toml';

const STATE_DIR = /^[ \t]*(?:state_dir|"state_dir"|'state_dir')[ \t]*=.*$/m;

export interface RestoredConfig {
  text: string;
  /** Where the state was; null when the file does not say. */
  stateDir: string | null;
}

/** Turns the line with `state_dir` into a comment; null when it cannot be found. @throws TomlError */
export function restoredConfig(text: string): RestoredConfig | null {
  const { state_dir } = parse(text);
  if (state_dir === undefined) return { text, stateDir: null };
  const changed = text.replace(
    STATE_DIR,
    (line) => `# A restore has put the state into the folder state: ${line.trim()}`,
  );
  if (parse(changed).state_dir !== undefined) return null;
  return { text: changed, stateDir: String(state_dir) };
}
