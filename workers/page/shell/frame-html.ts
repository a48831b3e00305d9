/**
 * What is around each panel, as a part of the document, so that it is there before any script: the navigation for every
 * role and that the page connects. Once in each language, as a document cannot know which; frame.ts shows one of them.
 */
import { ADDRESSES } from '../panels/registry.ts';
import type { Catalogue } from '../texts/en.ts';
import { EN } from '../texts/en.ts';
import { ZH } from '../texts/zh.ts';

/** The frames, for the build to put in the place of a mark in index.html. */
export function framesHtml(): string {
  return frame('en', EN) + frame('zh-CN', ZH);
}

function frame(tag: string, texts: Catalogue): string {
  const links = ADDRESSES.flatMap(({ path, name, roles }) =>
    name === undefined || roles !== undefined ? [] : [`<li><a href="${path}">${texts[name]}</a></li>`],
  );
  return [
    `<div class="shell" lang="${tag}" hidden>`,
    `<nav aria-label="${texts.navigation}"><p class="brand"><img src="./icon.svg" alt="" width="22" height="22">${texts.app_name}</p>`,
    `<ul>${links.join('')}</ul></nav>`,
    `<header class="bar"><search><input type="search" aria-label="${texts.search}" placeholder="${texts.search_placeholder}" disabled></search>`,
    `<span class="connection"><span class="dot calm"></span>${texts.connecting}</span></header>`,
    `<main><div class="heading"><h1></h1></div><p class="loading">${texts.loading}</p></main>`,
    '</div>',
  ].join('');
}
