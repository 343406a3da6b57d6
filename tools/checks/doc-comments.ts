import { parseSync } from 'oxc-parser';
import type { Check, Finding } from './finding.ts';
import { isTest, lineOf, sourceFiles } from './source-files.ts';

/** Every exported declaration has a doc comment whose first paragraph ends with a full stop. */
export const checkDocComments: Check = async (root) => {
  const findings: Finding[] = [];
  for (const file of await sourceFiles(root, ['packages', 'apps'])) {
    if (isTest(file.path)) continue;
    const { program, comments } = parseSync(file.path, file.text);
    for (const statement of program.body) {
      if (statement.type !== 'ExportNamedDeclaration' || statement.declaration == null) continue;
      const comment = comments.findLast(({ end }) => end <= statement.start);
      const attached = comment !== undefined && file.text.slice(comment.end, statement.start).trim() === '';
      const problem = attached && comment.value.startsWith('*') ? problemWith(comment.value) : 'has no doc comment';
      if (problem !== undefined)
        findings.push({
          place: `${file.path}:${lineOf(file.text, statement.start)}`,
          message: `exported declaration ${problem}`,
        });
    }
  }
  return findings;
};

function problemWith(comment: string): string | undefined {
  const text = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*+ ?/, '').trimEnd())
    .join('\n')
    .trim();
  const firstParagraph = text.split(/\n\s*\n|\n@/)[0] ?? '';
  return /[.:]$/.test(firstParagraph)
    ? undefined
    : 'has a doc comment whose first sentence does not end with a full stop';
}
