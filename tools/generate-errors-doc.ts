import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { type SourceFile, isTest, sourceFiles } from './checks/source-files.ts';

/*
 * Writes docs/reference/errors.md: every error code of the product, with its class, what it says and what it
 * advises, taken from the places that throw it. `--check` fails when the page is not what would be written.
 */

interface ErrorEntry {
  readonly code: string;
  readonly errorClass: string;
  readonly message: string;
  readonly remedy: string;
}

const root = dirname(import.meta.dirname);
const page = join(root, 'docs/reference/errors.md');
const entries = (await sourceFiles(root, ['apps', 'packages'])).filter(({ path }) => !isTest(path)).flatMap(errorsIn);
const text = render(entries);

if (!process.argv.includes('--check')) await writeFile(page, text);
else if ((await readFile(page, 'utf8').catch(() => '')) !== text) {
  console.error('docs/reference/errors.md is not up to date: run node tools/generate-errors-doc.ts');
  process.exit(1);
}

function errorsIn(file: SourceFile): ErrorEntry[] {
  const found: ErrorEntry[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const fields = 'type' in node && node.type === 'ObjectExpression' ? propertiesOf(node, file.text) : undefined;
    if (fields?.['code'] !== undefined && /^[A-Z]+(_[A-Z0-9]+)+$/.test(fields['code']) && 'class' in fields) {
      found.push({
        code: fields['code'],
        errorClass: fields['class'] ?? '',
        message: fields['message'] ?? '…',
        remedy: fields['remedy'] ?? '',
      });
    }
    Object.values(node).forEach(visit);
  };
  visit(parseSync(file.path, file.text).program);
  return found;
}

/** The properties of an object literal as text: strings as they are, interpolations and other expressions as `…`. */
function propertiesOf(node: object, source: string): Record<string, string> {
  const { properties } = node as {
    properties: readonly { key?: { name?: string }; value?: { start: number; end: number } }[];
  };
  return Object.fromEntries(
    properties.flatMap(({ key, value }) =>
      key?.name === undefined || value === undefined
        ? []
        : [[key.name, literalText(source.slice(value.start, value.end))]],
    ),
  );
}

function literalText(expression: string): string {
  const quoted = /^(['"])([\s\S]*)\1$/.exec(expression)?.[2];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, '$1');
  if (!/^`[\s\S]*`$/.test(expression)) return '…';
  return expression.slice(1, -1).replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…');
}

function render(all: readonly ErrorEntry[]): string {
  const rows = all
    .toSorted((a, b) => `${a.code} ${a.message}`.localeCompare(`${b.code} ${b.message}`))
    .map(
      ({ code, errorClass, message, remedy }) => `| \`${code}\` | ${errorClass} | ${cell(message)} | ${cell(remedy)} |`,
    );
  return `# Errors

Every error the product raises on purpose, made from the sources by \`tools/generate-errors-doc.ts\`. \`…\` stands for what the message fills in.

| code | class | message | what to do |
|---|---|---|---|
${[...new Set(rows)].join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}
