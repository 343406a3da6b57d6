import { join } from 'node:path';
import type { Check, Finding } from './finding.ts';
import { type Package, readPackages } from './packages.ts';
import { type ModuleImport, type SourceFile, importsOf, isTest, sourceFiles } from './source-files.ts';

/** What each layer may import besides itself; see ARCHITECTURE.md, "The folders". */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  foundation: [],
  contracts: ['foundation'],
  adapters: ['contracts', 'foundation'],
  host: ['adapters', 'contracts', 'foundation'],
  engine: ['adapters', 'contracts', 'foundation'],
  management: ['adapters', 'contracts', 'foundation'],
  registry: ['management', 'adapters', 'contracts', 'foundation'],
  apps: ['host', 'engine', 'registry', 'management', 'adapters', 'contracts', 'foundation'],
};

/** Outside dependencies that are a vocabulary rather than a thing to own. */
const VOCABULARIES: ReadonlySet<string> = new Set(['typebox']);

const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|misc)(\.ts|\/)/;

/** What one pass over the sources collects. */
interface Survey {
  readonly packages: ReadonlyMap<string, Package>;
  readonly findings: Finding[];
  /** Outside dependency → package that imports it → one place where it does. */
  readonly users: Map<string, Map<string, string>>;
  /** Package → packages it imports. */
  readonly edges: Map<string, Set<string>>;
}

/**
 * Imports go down the layers and never to an app, are declared, use only `.` and `./testing`, and make no
 * cycle between packages; each outside dependency has one owner; no file is called "utils".
 */
export const checkLayers: Check = async (root) => {
  const packages = await readPackages(root);
  const survey: Survey = {
    packages: new Map(packages.map((entry) => [entry.name, entry])),
    findings: [],
    users: new Map(),
    edges: new Map(),
  };
  for (const owner of packages) {
    for (const file of await sourceFiles(root, [join(owner.directory, 'src')])) surveyFile(survey, owner, file);
  }
  return [...survey.findings, ...sharedDependencies(survey.users), ...cyclesIn(survey.edges)];
};

function surveyFile(survey: Survey, owner: Package, file: SourceFile): void {
  if (FORBIDDEN_NAMES.test(file.path)) {
    survey.findings.push({
      place: file.path,
      message: 'is named for nothing in particular; name the one thing it holds',
    });
  }
  for (const request of importsOf(file)) {
    const messages = request.specifier.startsWith('.')
      ? relativeProblems(owner, file, request)
      : surveyPackageImport(survey, owner, file, request);
    survey.findings.push(...messages.map((message) => ({ place: `${file.path}:${request.line}`, message })));
  }
}

function relativeProblems(owner: Package, file: SourceFile, { specifier }: ModuleImport): string[] {
  const target = join(file.path, '..', specifier);
  return target.startsWith(`${owner.directory}/`) ? [] : [`reaches out of its package: ${specifier}`];
}

function surveyPackageImport(survey: Survey, owner: Package, file: SourceFile, request: ModuleImport): string[] {
  if (request.specifier.startsWith('node:')) return [];
  const name = packageNameOf(request.specifier);
  const test = isTest(file.path);
  const target = survey.packages.get(name);
  const declared = owner.dependencies.has(name) || (test && owner.developmentDependencies.has(name));
  const undeclared = `imports ${name}, which its package.json does not declare`;
  if (target === undefined) {
    if (test) return []; // The root's development dependencies (vitest, fast-check …) are for every test.
    const users = survey.users.get(name) ?? new Map<string, string>();
    survey.users.set(name, users.set(owner.name, `${file.path}:${request.line}`));
    return declared ? [] : [undeclared];
  }
  if (target === owner) return [];
  if (!test) survey.edges.set(owner.name, (survey.edges.get(owner.name) ?? new Set()).add(name));
  return [
    ...(declared ? [] : [undeclared]),
    ...subpathProblems(request.specifier, name, test),
    ...directionProblems(owner, target, test),
  ];
}

function subpathProblems(specifier: string, name: string, test: boolean): string[] {
  const subpath = specifier.slice(name.length);
  if (subpath === '') return [];
  if (subpath !== '/testing') return [`imports deep into ${name}: ${specifier}`];
  return test ? [] : [`imports ${specifier} outside a test`];
}

function directionProblems(owner: Package, target: Package, test: boolean): string[] {
  if (target.layer === 'apps') return [`imports the app ${target.name}`];
  if (test || target.layer === owner.layer || MAY_IMPORT[owner.layer]?.includes(target.layer) === true) return [];
  return [`${owner.layer} must not import ${target.layer} (${target.name})`];
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function sharedDependencies(dependencies: Survey['users']): Finding[] {
  return [...dependencies].flatMap(([name, users]) =>
    users.size < 2 || VOCABULARIES.has(name)
      ? []
      : [...users].map(([user, place]) => ({
          place,
          message: `${name} has more than one owner: ${user} among ${[...users.keys()].join(', ')}`,
        })),
  );
}

function cyclesIn(edges: ReadonlyMap<string, ReadonlySet<string>>): Finding[] {
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start >= 0) {
      findings.push({
        place: name,
        message: `packages import each other in a circle: ${[...path.slice(start), name].join(' → ')}`,
      });
      return;
    }
    if (done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return findings;
}
