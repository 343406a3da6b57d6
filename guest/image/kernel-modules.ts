import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One kernel module. */
export interface KernelModule {
  readonly name: string;
  readonly path: string;
}

/**
 * The wanted modules with all they depend on, in an order in which they can be loaded.
 *
 * What is neither a module nor built in is left out when optional, and an error otherwise.
 */
export function orderedModules(tree: string, wanted: readonly string[], optional: readonly string[]): KernelModule[] {
  const paths = new Map(findModules(join(tree, 'kernel')).map((path) => [moduleName(path), path]));
  const builtIn = new Set(readFileSync(join(tree, 'modules.builtin'), 'utf8').split('\n').map(moduleName));
  const ordered = new Map<string, KernelModule>();
  const add = (name: string): void => {
    if (ordered.has(name) || builtIn.has(name)) return;
    const path = paths.get(name);
    if (path === undefined) throw new Error(`the kernel has no module ${name}`);
    for (const dependency of dependenciesOf(path)) add(dependency);
    ordered.set(name, { name, path });
  };
  for (const name of wanted) add(name);
  for (const name of optional) if (paths.has(name)) add(name);
  return [...ordered.values()];
}

/** The `depends=` entry of a module's .modinfo section. */
function dependenciesOf(path: string): string[] {
  const content = readFileSync(path);
  const at = content.indexOf('\0depends=');
  if (at < 0) return [];
  const start = at + '\0depends='.length;
  const list = content.toString('latin1', start, content.indexOf(0, start));
  return list
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

function findModules(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ko'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function moduleName(path: string): string {
  return basename(path, '.ko').replaceAll('-', '_');
}
