import { access, readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Check, Finding } from './finding.ts';

/** Relative links in the Markdown documents lead to files that exist. */
export const checkLinks: Check = async (root) => {
  const findings: Finding[] = [];
  for (const document of await markdownFiles(root)) {
    const text = await readFile(document, 'utf8');
    for (const match of text.matchAll(/\]\((?<target>[^)#\s]+)(?:#[^)]*)?\)/g)) {
      const target = match.groups?.['target'] ?? '';
      if (/^[a-z]+:/.test(target)) continue;
      const exists = await access(join(dirname(document), target)).then(
        () => true,
        () => false,
      );
      if (!exists)
        findings.push({ place: relative(root, document), message: `links to ${target}, which is not there` });
    }
  }
  return findings;
};

async function markdownFiles(root: string): Promise<string[]> {
  const top = (await readdir(root)).filter((name) => name.endsWith('.md')).map((name) => join(root, name));
  const docs = await readdir(join(root, 'docs'), { recursive: true }).catch(() => []);
  return [...top, ...docs.filter((name) => name.endsWith('.md')).map((name) => join(root, 'docs', name))];
}
