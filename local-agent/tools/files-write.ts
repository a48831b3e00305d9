/**
 * `files/write`: writes a whole file inside the roots atomically; an existing one only with `overwrite` or `append`.
 * Missing folders are created unless `create_parents` is false.
 */
import { writeWholeFile } from '../host/write-file.ts';
import type { ToolHandler } from './tool.ts';
import { failure, fileOutcome, success } from './tool.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const writeFile: ToolHandler<'conductor::files/write'> = async (params, context) => {
  const { roots, newTemporaryName, keeper } = context;
  try {
    const base64 = params.encoding === 'base64';
    if (base64 && !(BASE64.test(params.content) && params.content.length % 4 === 0)) {
      return failure('failed', 'invalid_base64', 'content is not base64');
    }
    const bytes = Buffer.from(params.content, base64 ? 'base64' : 'utf8');
    const append = params.append ?? false;
    const { replaced, path, size } = writeWholeFile(roots, roots.resolve(params.path, params.cwd), bytes, {
      overwrite: params.overwrite ?? append,
      append,
      createParents: params.create_parents ?? true,
      temporary: newTemporaryName(),
      keep: keeper,
    });
    if (append && replaced) return success(`appended ${bytes.length} bytes to ${path} (${size} bytes)`);
    return success(`${replaced ? 'replaced' : 'wrote'} ${path} (${size} bytes)`);
  } catch (error) {
    return fileOutcome(error);
  }
};
