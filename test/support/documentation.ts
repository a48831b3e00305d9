/** The pages of the documentation, with their fenced blocks, links and headings. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';

export interface Block {
  page: string;
  line: number;
  lang: string;
  text: string;
}

export interface Page {
  path: string;
  blocks: Block[];
  links: { line: number; url: string }[];
  /** The anchors of its headings, as GitHub names them. */
  anchors: Set<string>;
}

const TOP = ['README.md', 'README.zh.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

export function pagePaths(): string[] {
  const docs = readdirSync(join(REPOSITORY, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...TOP, ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].sort();
}

function textOf(node: Nodes): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

function everyNode(node: Nodes): Nodes[] {
  return [node, ...('children' in node ? node.children.flatMap(everyNode) : [])];
}

/** The anchor of a heading: lower case, punctuation removed, spaces as dashes. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

export function readPage(path: string): Page {
  const nodes = everyNode(fromMarkdown(readFileSync(join(REPOSITORY, path), 'utf8')));
  const lineOf = (node: Nodes) => node.position?.start.line ?? 0;
  return {
    path,
    blocks: nodes.flatMap((node) =>
      node.type === 'code' ? [{ page: path, line: lineOf(node), lang: node.lang ?? '', text: node.value }] : [],
    ),
    links: nodes.flatMap((node) =>
      node.type === 'link' || node.type === 'image' ? [{ line: lineOf(node), url: node.url }] : [],
    ),
    anchors: new Set(nodes.flatMap((node) => (node.type === 'heading' ? [anchorOf(textOf(node))] : []))),
  };
}

/** The file that a link of a page names, from the repository's folder. */
export function linkedFile(page: string, url: string): string {
  return join(dirname(page), url);
}

/** One command of a block of shell: without its comment, continued lines joined. */
export function commandsOf({ text }: Block): string[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .flatMap((line) => line.split(/\s*(?:&&|;|\|)\s*/))
    .map((command) => command.replace(/^\(|\)$/g, '').trim())
    .filter((command) => command !== '');
}
