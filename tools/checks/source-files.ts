import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';

const SKIPPED_DIRECTORIES = new Set(['node_modules', 'build', 'target', 'fixtures', 'generated', '.git']);

/** A TypeScript source file of ours. */
export interface SourceFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** An import or re-export of another module. */
export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
}

/** Every TypeScript file below `folders`, generated code and fixtures left out. */
export async function sourceFiles(root: string, folders: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const visit = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && !SKIPPED_DIRECTORIES.has(entry.name)) await visit(path);
      else if (entry.isFile() && entry.name.endsWith('.ts')) {
        files.push({ path: relative(root, path), text: await readFile(path, 'utf8') });
      }
    }
  };
  for (const folder of folders) await visit(join(root, folder));
  return files.toSorted((a, b) => a.path.localeCompare(b.path));
}

/** The static and dynamic imports of a file, types included. */
export function importsOf(file: SourceFile): ModuleImport[] {
  const { module } = parseSync(file.path, file.text);
  const requests = [
    ...module.staticImports.map((entry) => entry.moduleRequest),
    ...module.staticExports.flatMap((entry) => entry.entries.flatMap((e) => e.moduleRequest ?? [])),
  ].map((request) => ({ specifier: request.value, start: request.start }));
  const dynamic = module.dynamicImports.map(({ moduleRequest }) => ({
    specifier: file.text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    start: moduleRequest.start,
  }));
  return [...requests, ...dynamic].map(({ specifier, start }) => ({ specifier, line: lineOf(file.text, start) }));
}

/** The 1-based line of a character offset. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Whether a file is a test or serves only tests. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|\/testing\/|^test\//.test(path);
}
