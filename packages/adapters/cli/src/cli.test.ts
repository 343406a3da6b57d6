import { VicError } from '@vic/errors';
import { describe, expect, it } from 'vitest';
import { defineCommand, formatTable, runCommandLine } from './index.ts';
import type { ProgramSpec, Terminal } from './index.ts';

let received: unknown;
const create = defineCommand({
  name: 'create',
  summary: 'Makes something.',
  examples: ['demo create --name x'],
  options: {
    name: { kind: 'text', short: 'n', description: 'Its name', environment: 'DEMO_NAME' },
    'public-network': { kind: 'text', aliases: ['pn'], description: 'Its network', defaultText: 'VM Network' },
    'dns-server': { kind: 'list', description: 'Name servers' },
    memory: { kind: 'number', aliases: ['mem'], description: 'Megabytes' },
    'no-tls': { kind: 'flag', short: 'k', description: 'Without TLS' },
    'volume-store': { kind: 'list', aliases: ['vs'], description: 'Volumes', refused: 'volumes come later.' },
  },
  run: async (options, context) => {
    received = options;
    context.say('working');
    context.result({ made: options.name ?? null }, 'made it');
  },
});
const fail = defineCommand({
  name: 'inspect config',
  summary: 'Fails.',
  options: { defect: { kind: 'flag', description: 'As a defect' } },
  run: async (options) => {
    if (options.defect) throw new TypeError('x is undefined');
    throw new VicError({ class: 'NotFound', code: 'X_NOT_FOUND', message: 'No x.', remedy: 'Make an x.' });
  },
});
const inspect = defineCommand({ name: 'inspect', summary: 'Shows.', options: {}, run: async () => undefined });
const program: ProgramSpec = { name: 'demo', summary: 'A demo.', version: '1.2.3', commands: [create, inspect, fail] };

async function demo(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const terminal: Terminal = {
    out: (text) => void (out += text),
    error: (text) => void (error += text),
    environment,
    askSecret: async () => 'secret',
    signal: new AbortController().signal,
  };
  received = undefined;
  return { code: await runCommandLine(program, args, terminal), out, error };
}

describe('runCommandLine()', () => {
  it('gives every option its type', async () => {
    const args = ['--name=x', '-k', '--memory', '2048', '--dns-server', '1.1.1.1', '--dns-server', '8.8.8.8'];
    expect(await demo(['create', ...args])).toEqual({ code: 0, out: 'working\nmade it\n', error: '' });
    expect(received).toMatchObject({
      name: 'x',
      'public-network': undefined,
      'dns-server': ['1.1.1.1', '8.8.8.8'],
      memory: 2048,
      'no-tls': true,
    });
  });

  it("takes VIC's spellings: aliases and long names after a single dash", async () => {
    await demo(['create', '-name', 'x', '-pn', 'Public', '-mem=5', '-n', 'y']);
    expect(received).toMatchObject({ name: 'y', 'public-network': 'Public', memory: 5, 'no-tls': false });
  });

  it('takes values from the environment unless given', async () => {
    await demo(['create'], { DEMO_NAME: 'env' });
    expect(received).toMatchObject({ name: 'env' });
    await demo(['create', '--name', 'given'], { DEMO_NAME: 'env' });
    expect(received).toMatchObject({ name: 'given' });
  });

  it('refuses options that are not covered by name', async () => {
    const { code, error } = await demo(['create', '--volume-store', 'ds/x:label']);
    expect([code, error]).toEqual([
      1,
      'demo create failed: --volume-store is not supported yet: volumes come later.\n\n' +
        'How to solve it: Leave --volume-store out.\n',
    ]);
  });

  it('prints the result alone with --json, and everything else to standard error', async () => {
    const { code, out, error } = await demo(['create', '--json', '-n', 'x']);
    expect([code, JSON.parse(out), error]).toEqual([0, { made: 'x' }, 'working\n']);
  });

  it('tells user errors with how to solve them, defects with an id, and both in JSON', async () => {
    expect(await demo(['inspect', 'config'])).toMatchObject({
      code: 1,
      error: 'demo inspect config failed: No x.\n\nHow to solve it: Make an x.\n',
    });
    const defect = await demo(['inspect', 'config', '--defect']);
    expect(defect.error).toMatch(/failed unexpectedly \([0-9a-f]{8}\): x is undefined/);
    const json = await demo(['inspect', 'config', '--json']);
    expect(JSON.parse(json.error).error).toMatchObject({ code: 'X_NOT_FOUND', remedy: 'Make an x.' });
  });

  it('gives status 2 and a hint for what it does not understand', async () => {
    for (const args of [['create', '--nmae', 'x'], ['nothing'], ['create', '--memory', 'lots'], ['create', 'extra']]) {
      expect((await demo(args)).code).toBe(2);
    }
    expect((await demo(['create', '--nmae', 'x'])).error).toContain('--name');
  });

  it('has help for the program and each command, and a version', async () => {
    expect(await demo(['--version'])).toEqual({ code: 0, out: '1.2.3\n', error: '' });
    const { code, out } = await demo(['create', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--public-network <value>');
    expect(out).toContain('also: -pn');
    expect(out).toContain('demo create --name x');
    expect((await demo(['--help'])).out).toContain('Makes something.');
  });
});

describe('formatTable()', () => {
  it('aligns columns and keeps control characters off the terminal', () => {
    expect(
      formatTable(
        ['ID', 'NAME'],
        [
          ['vm-1', 'a\u001b[31m'],
          ['vm-100', 'b'],
        ],
      ),
    ).toBe('ID       NAME\nvm-1     a?[31m\nvm-100   b');
  });
});
