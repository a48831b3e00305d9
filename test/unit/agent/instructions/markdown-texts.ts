/** Markdown made of everything that affects fences: markers of containers, fences, HTML, underlines, white space. */
import fc from 'fast-check';

const MARKERS = ['> ', '>', '- ', '1. ', '2. ', '* ', '+ ', '10) ', ' ', '   ', '    ', '\t', '-\t'];
const PIECES = [
  ...[
    '```baa',
    '~~~baa',
    '```',
    '```',
    '~~~',
    '````',
    '````baa',
    '```baa x',
    '``` baa',
    '',
    '',
    'text',
    '@a::b',
    '---',
  ],
  ...[
    '===',
    '* * *',
    '# h',
    '#',
    '[a]: /u',
    '[a]',
    '<div>',
    '</div>',
    '<!--',
    '-->',
    '<pre>',
    '</pre>',
    '<x>',
    '<x y="',
  ],
  ...[
    '<?',
    '?>',
    '<![CDATA[',
    ']]>',
    '<script',
    '</script>',
    '\\',
    '&#98;',
    '\0',
    '\u00a0',
    '`',
    '~',
    '\ud800',
    'a\tb',
    '\u2028',
  ],
];
const line = fc
  .tuple(
    fc.array(fc.constantFrom(...MARKERS), { maxLength: 3 }),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 2 }),
  )
  .map(([markers, pieces]) => markers.join('') + pieces.join(''));
const lines = fc.array(line, { maxLength: 8, size: 'max' });

export const document = fc
  .tuple(lines, fc.boolean(), lines, fc.constantFrom('\n', '\r\n', '\r'))
  .map(([before, withBlock, after, end]) =>
    [...before, ...(withBlock ? ['```baa', 'x', '```'] : []), ...after].join(end),
  );
