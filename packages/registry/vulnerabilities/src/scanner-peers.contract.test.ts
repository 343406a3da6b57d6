import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGoBinary } from './inventory/readers/go-binary.ts';
import { compareDpkgVersions } from './versions/dpkg-version.ts';
import { comparePep440Versions } from './versions/pep440-version.ts';

const RUNS = 300;

/** Whether a program is here to be asked. */
async function isThere(program: string, ...args: readonly string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

describe.skipIf(!(await isThere('dpkg', '--version')))('dpkg', () => {
  test('orders versions as we do', async () => {
    const part = fc.stringMatching(/^[0-9][a-z0-9.+~]{0,6}$/);
    const version = fc
      .tuple(
        fc.constantFrom('', '0:', '1:', '2:'),
        part,
        fc.constantFrom('', '-1', '-1.1', '-2~bpo1', '-0ubuntu1', '-a'),
      )
      .map((parts) => parts.join(''));
    const check = fc.asyncProperty(version, version, async (a, b) => {
      const order = compareDpkgVersions(a, b);
      const relation = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
      const { code } = await run('dpkg', ['--compare-versions', a, relation, b], { okCodes: [0, 1] });
      expect(code, `${a} ${relation} ${b}`).toBe(0);
    });
    await fc.assert(check, { numRuns: RUNS });
  }, 180_000);
});

describe.skipIf(!(await isThere('python3', '-c', 'import packaging.version')))('Python packaging', () => {
  test('orders versions as we do', async () => {
    const version = fc
      .tuple(
        fc.constantFrom('', '1!', 'v'),
        fc.constantFrom('0', '1', '1.0', '1.0.0', '1.2', '1.10', '2.0.1'),
        fc.constantFrom('', 'a1', '-beta.2', 'rc1', '.c3', 'pre'),
        fc.constantFrom('', '.post1', '-2', 'rev3', 'post'),
        fc.constantFrom('', '.dev1', 'dev'),
        fc.constantFrom('', '+abc', '+1', '+abc.5', '+5'),
      )
      .map((parts) => parts.join(''));
    const pairs = fc.sample(fc.tuple(version, version), 3000);
    const program =
      'import json,sys\nfrom packaging.version import Version as V\nprint(json.dumps([(V(a)>V(b))-(V(a)<V(b)) for a,b in json.load(sys.stdin)]))';
    const { stdout } = await run('python3', ['-c', program], { input: JSON.stringify(pairs) });
    const ours = pairs.map(([a, b]) => Math.sign(comparePep440Versions(a, b)));
    const theirs = JSON.parse(stdout) as number[];
    const different = pairs.filter((_, index) => ours[index] !== theirs[index]);
    expect(different).toEqual([]);
  });
});

const GO = (await isThere('go', 'version')) ? 'go' : '/usr/local/go/bin/go';

describe.skipIf(!(await isThere(GO, 'version')))('Go', () => {
  test('builds programs whose modules we read', async () => {
    await using directory = await temporaryDirectory();
    const at = (name: string): string => join(directory.path, name);
    await run('mkdir', ['-p', at('lib')]);
    await writeFile(at('lib/go.mod'), 'module example.org/lib\n\ngo 1.20\n');
    await writeFile(at('lib/lib.go'), 'package lib\n\nfunc Name() string { return "lib" }\n');
    await writeFile(
      at('go.mod'),
      'module example.org/app\n\ngo 1.20\n\nrequire example.org/lib v1.2.3\n\nreplace example.org/lib v1.2.3 => ./lib\n',
    );
    await writeFile(at('main.go'), 'package main\n\nimport "example.org/lib"\n\nfunc main() { println(lib.Name()) }\n');
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory.path,
      GOFLAGS: '-mod=mod',
      GOPROXY: 'off',
      CGO_ENABLED: '0',
      GOTOOLCHAIN: 'local',
    };
    await run(GO, ['build', '-o', at('app'), '.'], { cwd: directory.path, env, timeoutMs: 300_000 });
    const { packages } = await readGoBinary(createReadStream(at('app')) as AsyncIterable<Buffer>);
    const { stdout } = await run(GO, ['env', 'GOVERSION'], { env });
    expect(packages).toContainEqual({
      type: 'golang',
      name: 'stdlib',
      version: stdout.trim().replace(/^go/, '').split(' ')[0],
    });
  }, 330_000);
});
