import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Zip, ZipDeflate } from 'fflate';
import { describe, expect, it } from 'vitest';
import { ArchiveError, unpack } from '../../../../local-agent/backup/archive.ts';
import { MANIFEST } from '../../../../local-agent/backup/manifest.ts';

/** What begins and ends entries of a zip file, in hexadecimal. */
const SIGNATURES = ['504b0304', '504b0708', '504b0102', '504b0506'];

/** As writeArchive() writes one, but with `level` 0 the packed bytes are those of the files. */
function archiveOf(files: Record<string, Buffer>, level: 0 | 6): { home: string; target: string } {
  const home = mkdtempSync(join(tmpdir(), 'conductor-archive-'));
  const target = join(home, 'archive.zip');
  const parts: Uint8Array[] = [];
  const zip = new Zip((_error, part) => parts.push(part));
  for (const [name, bytes] of Object.entries({ [MANIFEST]: Buffer.from('{}'), ...files })) {
    const entry = new ZipDeflate(name, { level });
    zip.add(entry);
    entry.push(new Uint8Array(bytes), true);
  }
  zip.end();
  writeFileSync(target, Buffer.concat(parts));
  return { home, target };
}

describe('an archive', () => {
  it.each(SIGNATURES)(
    'is read back whole when packed bytes look like the begin or end of an entry: %s',
    (signature) => {
      const bytes = Buffer.concat([randomBytes(20_000), Buffer.from(signature, 'hex'), randomBytes(20_000)]);
      const { home, target } = archiveOf({ a: bytes, b: Buffer.from('behind it') }, 0);
      expect(readFileSync(target).includes(bytes.subarray(19_990, 20_014))).toBe(true);
      const { manifest, files } = unpack(target, join(home, 'out'), () => true);
      expect([manifest, [...files.keys()]]).toEqual(['{}', ['a', 'b']]);
      expect(readFileSync(join(home, 'out', 'a')).equals(bytes)).toBe(true);
      expect(readFileSync(join(home, 'out', 'b'), 'utf8')).toBe('behind it');
    },
  );

  it('that is cut off at any place is none', () => {
    const { home, target } = archiveOf({ a: randomBytes(2_000) }, 6);
    for (let size = readFileSync(target).length - 1; size >= 0; size = Math.floor(size * 0.9) - 1) {
      truncateSync(target, size);
      expect(() => unpack(target, join(home, `out-${size}`), () => true)).toThrow(ArchiveError);
    }
  });

  it('with a changed byte throws, or its files differ from their digests', () => {
    const { home, target } = archiveOf({ a: Buffer.from('a text that is packed') }, 6);
    const whole = readFileSync(target);
    const { sha256 } = unpack(target, join(home, 'whole'), () => true).files.get('a') ?? {};
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8((damaged[at] ?? 0) ^ 0xff, at);
      writeFileSync(target, damaged);
      try {
        const { manifest, files } = unpack(target, join(home, `out-${at}`), (path) => path === 'a');
        const isSame = manifest === '{}' && files.get('a')?.sha256 === sha256;
        // Times, versions and checksums of the format are not read.
        if (isSame) expect(readFileSync(join(home, `out-${at}`, 'a'), 'utf8')).toBe('a text that is packed');
      } catch (error) {
        expect(error).toBeInstanceOf(ArchiveError);
      }
    }
  });
});
