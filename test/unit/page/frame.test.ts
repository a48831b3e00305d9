import { expect, it } from 'vitest';
import { ADDRESSES } from '../../../workers/page/panels/registry.ts';
import { framesHtml } from '../../../workers/page/shell/frame-html.ts';
import { EN } from '../../../workers/page/texts/en.ts';
import { ZH } from '../../../workers/page/texts/zh.ts';

it('the frames of the page have the links of every role, in each language, and are hidden until one is chosen', () => {
  const frames = framesHtml().split('<div class="shell" ').slice(1);
  expect(frames.map((frame) => frame.slice(0, frame.indexOf('>')))).toEqual([
    'lang="en" hidden',
    'lang="zh-CN" hidden',
  ]);
  for (const [n, texts] of [EN, ZH].entries()) {
    const links = [...(frames[n] ?? '').matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].map(([, path, name]) => [
      path,
      name,
    ]);
    const wanted = ADDRESSES.flatMap(({ path, name, roles }) => (name && !roles ? [[path, texts[name]]] : []));
    expect(links).toEqual(wanted);
  }
});
