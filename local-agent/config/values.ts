/** Parsers of setting values: options and the environment supply text, config.toml supplies typed values. */
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { homeFolder } from '../host/own-files.ts';

/** A whole number from `min` to `max`, as a number or as text. */
export function integer(min: number, max: number) {
  const fromText = z
    .string()
    .trim()
    .regex(/^-?\d+$/, 'a whole number')
    .transform(Number);
  return z.union([z.number(), fromText], 'a whole number').pipe(z.number().int().min(min).max(max));
}

export const flag = z.union([z.boolean(), z.stringbool()]);

/** An `http(s)` address without a trailing slash. */
export const httpUrl = z
  .string()
  .trim()
  .pipe(z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' }))
  .transform((url) => url.replace(/\/+$/, ''));

/** A folder as an absolute path; `~` is the home of the user who runs the agent. */
export const folder = z
  .string()
  .trim()
  .min(1)
  .transform((path) => (path === '~' || path.startsWith('~/') ? join(homeFolder(), path.slice(1)) : path))
  .transform((path) => (isAbsolute(path) ? path : resolve(path)));

/** Absolute folders in the form of PATH. */
export const searchPath = z
  .string()
  .trim()
  .refine((path) => path.split(delimiter).every((entry) => isAbsolute(entry)), 'absolute folders, separated by colons');

/** A secret: visible ASCII, so that it can be sent in a header. */
export const secret = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,512}$/, 'printable ASCII without spaces, at most 512 characters');
