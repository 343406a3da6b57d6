import { runCommandLine } from '@vic/cli';
import type { Terminal } from '@vic/cli';
import { CertificateAuthority } from '@vic/pki';
import type { VchConfiguration } from '@vic/vch';
import { sampleConfiguration } from '@vic/vch/testing';
import { describe, expect, it } from 'vitest';
import { CREATE_OPTIONS } from './create-options.ts';
import { createLineOf } from './create-line-of.ts';
import { vicMachine } from './program.ts';
import { summaryOf } from './summary.ts';

async function vicMachineRun(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const terminal: Terminal = {
    out: (text) => void (out += text),
    error: (text) => void (error += text),
    environment: {},
    askSecret: async () => 'secret',
    signal: new AbortController().signal,
  };
  return { code: await runCommandLine(vicMachine, args, terminal), out, error };
}

const configuration: VchConfiguration = {
  ...sampleConfiguration,
  folder: '[ds 1] a/VIC/0d1e',
  imageStore: '[ds 1] a/VIC/0d1e/images',
  bootstrapIso: '[ds 1] VIC/boot/bootstrap.iso',
  registries: { ...sampleConfiguration.registries, httpProxy: undefined },
};

/** With certificates of an authority, and an authority of registries. */
async function configurationWith(authorityName: string, host: string): Promise<VchConfiguration> {
  const authority = await CertificateAuthority.create({ commonName: authorityName });
  const { certificate: serverCertificate } = await authority.issueServer({ commonName: host }, [host]);
  return {
    ...configuration,
    registries: { ...configuration.registries, certificateAuthorities: ['authority of a registry'] },
    tls: {
      mode: 'tls-verify',
      serverCertificate,
      clientCertificateAuthorities: [authority.credential.certificate],
    },
  };
}

describe('vic-machine', () => {
  it('every option of the original that is not covered is refused by name', async () => {
    const refused = Object.entries(CREATE_OPTIONS).filter(([, spec]) => 'refused' in spec);
    expect(refused.length).toBeGreaterThan(20);
    for (const [name, spec] of refused) {
      const value = spec.kind === 'flag' ? [] : ['1'];
      const { code, error } = await vicMachineRun('create', `--${name}`, ...value);
      expect([name, code]).toEqual([name, 1]);
      expect(error).toContain(`--${name} is not supported yet`);
    }
  });

  it('says what is missing before it connects', async () => {
    expect((await vicMachineRun('ls')).error).toContain('--target argument must be specified');
    expect((await vicMachineRun('ls', '-t', 'host')).error).toContain('vSphere user must be specified');
    expect((await vicMachineRun('delete', '-t', 'host', '--timeout', 'soon')).error).toContain('is not a duration');
    const runtime = await vicMachineRun('create', '--endpoint-runtime', 'vm');
    expect(runtime.error).toContain('--endpoint-runtime vm is not supported yet');
  });

  it('takes options for both inspect and inspect config', async () => {
    expect((await vicMachineRun('inspect', 'config', '-t', 'host')).error).toContain(
      'inspect config failed: vSphere user',
    );
    expect((await vicMachineRun('inspect', '-t', 'host')).error).toContain('inspect failed: vSphere user');
  });

  it('prints its version', async () => {
    expect((await vicMachineRun('version')).out).toMatch(/^vic-machine version v\d+\.\d+\.\d+\n$/);
  });
});

describe('what is said about a VCH', () => {
  it('summaryOf() tells how to connect, in the words of the original', () => {
    const { value, lines } = summaryOf(configuration, 'vm-1', '/certs');
    expect(lines).toContain('DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs DOCKER_HOST=10.0.0.10:2376');
    expect(lines).toContain('Connect to docker:');
    expect(value).toMatchObject({ id: 'vm-1', name: 'vch', dockerHost: '10.0.0.10:2376' });
  });

  it('summaryOf() knows VCHs without TLS', () => {
    const plain = { ...configuration, tls: { ...configuration.tls, mode: 'no-tls' as const } };
    expect(summaryOf(plain, 'vm-1').lines.at(-1)).toBe('docker -H 10.0.0.10:2375 info');
  });

  it('createLineOf() gives options that create takes, and the files that they name', async () => {
    const { options, files, leftOut } = createLineOf(await configurationWith('vch CA', 'vch.test'));
    expect(options).toContainEqual(['image-store', 'ds 1/a']);
    expect(options).toContainEqual(['base-image-size', '8192MB']);
    for (const [name] of options) expect(Object.keys(CREATE_OPTIONS)).toContain(name);
    expect(options.slice(-3)).toEqual([
      ['tls-cname', 'vch.test'],
      ['registry-ca', 'registry-ca-1.pem'],
      ['bootstrap-iso', 'bootstrap.iso'],
    ]);
    expect(files).toEqual([
      { name: 'registry-ca-1.pem', content: 'authority of a registry' },
      { name: 'bootstrap.iso', from: '[ds 1] VIC/boot/bootstrap.iso' },
    ]);
    expect(leftOut.join()).toMatch(/--memory.*--endpoint-cpu.*--target/);
  });

  it('createLineOf() names an address of the certificate only where it was given, and says what it cannot', async () => {
    const made = createLineOf(await configurationWith('vch CA', '10.0.0.10'));
    expect(made.options.map(([name]) => name)).not.toContain('tls-cname');
    const given = createLineOf(await configurationWith('corporate', 'vch.corp'));
    expect(given.options).toContainEqual(['tls-ca', 'tls-ca-1.pem']);
    expect(given.options.map(([name]) => name)).not.toContain('tls-cname');
    expect(given.leftOut[0]).toContain('--tls-server-key');
  });
});
